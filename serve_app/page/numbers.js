// Numbers, instants and durations as the field writes them.

const forms = new Map();
function form(low, high, options = {}) {
  const key = `${low} ${high} ${JSON.stringify(options)}`;
  if (!forms.has(key)) {
    forms.set(key, new Intl.NumberFormat("en-US", { minimumFractionDigits: low, maximumFractionDigits: high, ...options }));
  }
  return forms.get(key);
}

const known = (value, text) => (value === null || value === undefined || Number.isNaN(value) ? "–" : text(value));
export const price = (value) => known(value, form(2, 2).format);
export const strike = (value) => known(value, form(0, 4).format);
export const percent = (value) => known(value, form(2, 2, { style: "percent" }).format);
export const whole = (value) => known(value, form(0, 0).format);
export const greek = (value) => known(value, (number) =>
  (number !== 0 && Math.abs(number) < 0.001 ? number.toExponential(2) : form(4, 4).format(number)));
export const short = (value) => known(value, form(0, 4, { notation: "compact" }).format);
export const general = (value) => {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) ? whole(value) : form(0, 6, { maximumSignificantDigits: 6 }).format(value);
};
export const bytes = (value) => known(value, (number) => `${form(0, 1).format(number / 2 ** 20)} MiB`);
export const milliseconds = (value) => known(value, (seconds) => `${form(0, 1).format(seconds * 1000)} ms`);

const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "2-digit", month: "short", year: "2-digit" });
export const day = (instant) => DAY.format(new Date(instant));
export const instant = (text) => `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
