// Last part: filters, colours, keys, and the start.

function fill(id, values) {
  byId(id).append(...values.map((value) => make('option', { value }, value)));
}
fill('account', data.accounts.map((account) => account.key));
fill('region', [...new Set(areas.map((area) => area.region.name))].sort());
const partitions = [...new Set(data.accounts.map((account) => account.partition))];
fill('partition', partitions);
byId('partition-field').hidden = partitions.length < 2;
byId('bad-field').hidden = !data.checked && !data.held;
byId('bad').labels[0].textContent = data.held ? 'only what is wrong' : 'only violations';
const states = new Map();
for (const node of nodes.values()) for (const words of node.said) states.set(words, (states.get(words) || 0) + 1);
byId('state').append(...[...states].sort().map(([words, many]) => make('option', { value: words }, `${words} (${number(many)})`)));
byId('state-field').hidden = !data.held;

function refresh() {
  filter.terms = byId('q').value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const name of ['account', 'region', 'partition', 'state']) filter[name] = byId(name).value;
  filter.bad = byId('bad').checked;
  shownAccounts = STEP;
  draw();
}
byId('q').addEventListener('input', refresh);
for (const id of ['account', 'region', 'partition', 'state', 'bad']) byId(id).addEventListener('change', refresh);
byId('filters').addEventListener('submit', (event) => event.preventDefault());
function all(open) {
  areas.forEach((area) => { area.open = open; });
  data.accounts.forEach((account) => { account.open = open; });
  draw();
}
byId('open-all').addEventListener('click', () => all(true));
byId('close-all').addEventListener('click', () => all(false));
byId('clear').addEventListener('click', () => { byId('filters').reset(); refresh(); byId('q').focus(); });
byId('close').addEventListener('click', hide);

const THEMES = ['system', 'light', 'dark'];
function theme(name) {
  if (name === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  byId('theme').textContent = `Colours: ${name}`;
  byId('theme').dataset.now = name;
}
// a page opened from a file may not store anything
const store = { get() { try { return localStorage.getItem('logmap-theme'); } catch { return null; } }, set(value) { try { localStorage.setItem('logmap-theme', value); } catch { /* for this visit only */ } } };
theme(THEMES.includes(store.get()) ? store.get() : 'system');
byId('theme').addEventListener('click', () => {
  const next = THEMES[(THEMES.indexOf(byId('theme').dataset.now) + 1) % THEMES.length];
  theme(next);
  store.set(next);
});

/** Arrow keys go from one heading or node to the next; right and left open and close. */
function move(event) {
  const here = event.target.closest('.toggle, .node');
  if (!here || !list.contains(here)) return false;
  const stops = [...list.querySelectorAll('.toggle, .node')].filter((stop) => stop.offsetParent !== null);
  const at = stops.indexOf(here);
  const expanded = here.getAttribute('aria-expanded');
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: stops.length - 1 }[event.key];
  if (next !== undefined) stops[Math.max(0, Math.min(stops.length - 1, next))].focus();
  else if (event.key === 'ArrowRight' && expanded === 'false') here.click();
  else if (event.key === 'ArrowLeft' && expanded === 'true') here.click();
  else if (event.key === 'ArrowLeft') {
    const up = here.matches('.toggle') ? here.parentElement.parentElement.parentElement : here;
    const body = up.closest('.body');
    const parent = body && body.previousElementSibling.querySelector('.toggle');
    if (!parent) return false;
    parent.focus();
  } else return false;
  return true;
}
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches('input[type="search"], select');
  if (event.key === '/' && !typing) { event.preventDefault(); byId('q').focus(); byId('q').select(); }
  else if (event.key === 'Escape') { if (!hide() && byId('q').value) { byId('q').value = ''; refresh(); byId('q').focus(); } }
  else if (!typing && move(event)) event.preventDefault();
});
addEventListener('hashchange', follow);

for (const element of document.querySelectorAll('.js:not(#unplaced):not(#crossing)')) element.hidden = false;
drawUnplaced();
draw();
follow();
