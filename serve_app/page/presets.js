// Markets to begin with: bodies of `POST /api/v2/simulations`, each a seed short of being the same for everybody.

// When options expire, of a market that does not say.
export const CALENDAR = {
  start_at: "2026-01-05T14:30:00Z",
  time_frame: "Day",
  timezone: "America/New_York",
  expiration_time: "16:00",
  schedules: [
    { rule_id: "weeklies", kind: "weekly", target_count: 4, weekdays: ["Fri"] },
    { rule_id: "monthlies", kind: "monthly_third_friday", target_count: 6 },
  ],
};

const AROUND = {
  ...CALENDAR,
  steps: 250,
  risk_free_rate: 0.04,
  dividend_yield: 0.012,
  chain_size: 20,
};

export const PRESETS = {
  heston: ["Heston with a smile", "Volatility of its own, which falls when the price rises; the smile is the model's.", {
    ...AROUND, symbol: "SPX", initial_price: 5000, volatility: 0.2, smile: { model: {} },
    method: { Heston: { drift: 0.05, volatility: 0.2, kappa: 3, theta: 0.04, xi: 0.7, rho: -0.7 } },
  }],
  calm: ["Calm index", "Steady growth, 12 % volatility.", {
    ...AROUND, symbol: "SPX", initial_price: 5000, volatility: 0.12,
    method: { GeometricBrownian: { drift: 0.06, volatility: 0.12 } },
  }],
  crash: ["Crash", "Jumps of eight per cent down, three a year.", {
    ...AROUND, symbol: "SPX", initial_price: 5000, volatility: 0.18, smile: { model: {} },
    method: { JumpDiffusion: { drift: 0.05, volatility: 0.18, intensity: 3, jump_mean: -0.08, jump_volatility: 0.05 } },
  }],
  meme: ["Meme stock", "Volatility that jumps between two states, 45 % and 180 %.", {
    ...AROUND, symbol: "MEME", initial_price: 24, volatility: 0.9,
    method: { Telegraph: { drift: 0, volatility: 0.9, lambda_up: 8, lambda_down: 12, vol_multiplier_up: 2, vol_multiplier_down: 0.5 } },
  }],
  replay: ["Replay of SAMPLE", "A window of the sample history, which the seed draws.", {
    ...AROUND, steps: 100, symbol: "SAMPLE", initial_price: 100, volatility: 0.2,
    method: { Historical: { timeframe: "Day", prices: [], symbol: "SAMPLE" } },
  }],
};

export function newSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
