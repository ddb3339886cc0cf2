// Makes the replica set of the members that MEMBERS lists, or brings it to them, and waits until it takes writes.
const members = process.env.MEMBERS.split(",").map((host, _id) => ({ _id, host }));
const password = require("fs").readFileSync("/run/secrets/mongo_password", "utf8").trim();
const primary = members[0].host;
const admin = new Mongo(`mongodb://optionchain:${password}@${primary}/admin?directConnection=true`).getDB("admin");

let config;
try {
  config = admin.adminCommand({ replSetGetConfig: 1 }).config;
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  admin.adminCommand({ replSetInitiate: { _id: "rs0", members: members.slice(0, 1) } });
}
const until = Date.now() + 120_000;
const writable = () => admin.hello().isWritablePrimary;
while (!writable() && Date.now() < until) sleep(500);
// One member at a time, as MongoDB wants it.
for (const member of members) {
  config = admin.adminCommand({ replSetGetConfig: 1 }).config;
  if (config.members.some((known) => known.host === member.host)) continue;
  config.members.push(member);
  config.version += 1;
  admin.adminCommand({ replSetReconfig: config });
}
if (!writable()) throw new Error(`${primary} takes no writes`);
