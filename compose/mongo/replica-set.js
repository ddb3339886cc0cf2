// Makes the replica set of the members that MEMBERS lists, or adds those that it lacks, and waits until it takes writes.
const PATIENCE_MS = 120_000;
const members = process.env.MEMBERS.split(",");
const password = require("fs").readFileSync("/run/secrets/mongo_password", "utf8").trim();
const until = Date.now() + PATIENCE_MS;

function open(hosts, options) {
  return new Mongo(`mongodb://optionchain:${password}@${hosts}/admin?${options}`).getDB("admin");
}

// Tries again while MongoDB is between two states: it elects, or has yet to agree on a member that was just added.
function eventually(attempt) {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (Date.now() > until) throw error;
      print(`${error.codeName ?? error.name}: ${error.message}`);
      sleep(500);
    }
  }
}

eventually(() => {
  const first = open(members[0], "directConnection=true");
  try {
    first.adminCommand({ replSetGetConfig: 1 });
  } catch (error) {
    if (error.codeName !== "NotYetInitialized") throw error;
    first.adminCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: members[0] }] } });
  }
});

// Whoever is the primary: after an election it may be another than the first.
const set = eventually(() => {
  const found = open(members, `replicaSet=rs0&serverSelectionTimeoutMS=${PATIENCE_MS}`);
  if (!found.hello().isWritablePrimary) throw new Error("the primary takes no writes yet");
  return found;
});
// One member at a time, as MongoDB wants it.
for (const host of members) {
  eventually(() => {
    const { config } = set.adminCommand({ replSetGetConfig: 1 });
    if (config.members.some((known) => known.host === host)) return;
    config.members.push({ _id: Math.max(...config.members.map(({ _id }) => _id)) + 1, host });
    config.version += 1;
    set.adminCommand({ replSetReconfig: config });
  });
}
print(`the replica set has ${set.hello().hosts}, and ${set.hello().primary} takes writes`);
