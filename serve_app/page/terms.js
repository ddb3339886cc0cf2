// The terms of contracts, as they were asked for: what was left unsaid is not said here either.

const OF_MARKET = ["exercise", "exercise_dates", "underlying", "premium", "settlement", "multiplier", "currency", "tick_size", "tick_size_above", "coarse_tick_size"];
const OF_CHAIN = ["expires_at", "days_to_expiration", "labels", "contracts"];

const words = (said) => said.map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);

export const termsOf = (parameters) =>
  words(OF_MARKET.filter((name) => parameters[name] !== null && parameters[name] !== undefined).map((name) => [name, parameters[name]]));

// What is said of one expiration beside its time, as its root, and whether it settles in the morning.
export const termsOfChain = (chain) => words(Object.entries(chain).filter(([name]) => !OF_CHAIN.includes(name))
  .map(([name, value]) => [name, name === "future" ? `of ${value.expires_at.slice(0, 10)} at ${value.price.toFixed(2)}` : value]));

// Two expirations may be at one instant, with roots of their own.
export const seriesOf = (chain) => [chain.expires_at, chain.root, chain.settlement].filter(Boolean).join(" ");
export const seriesName = (chain, day) => [day(chain.expires_at), chain.root, chain.settlement].filter(Boolean).join(" ");
