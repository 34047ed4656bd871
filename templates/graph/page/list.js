// Second part: the list of accounts, what crosses them, and what was checked but is on no node.

const list = byId('list');
let shownAccounts = STEP;

function draw() {
  const result = found();
  const sum = (key) => result.reduce((total, hit) => total + hit[key].length, 0);
  const whole = !active() && !filter.account && !filter.region && !filter.partition;
  const said = `${count(sum('sources'), 'source')}, ${count(sum('buckets'), 'log bucket')}, ${count(sum('trails'), 'trail')} in ${count(result.length, 'area')}`;
  byId('result').textContent = whole ? said : result.length ? `${said} match` : 'nothing matches';
  const byAccount = new Map();
  for (const hit of result) {
    byAccount.set(hit.area.account, [...(byAccount.get(hit.area.account) || []), hit]);
  }
  const wanted = [...byAccount].slice(0, shownAccounts);
  // what is found is shown at once, unless that is a screen full of areas
  const open = (active() || filter.account || filter.region) && result.length <= SMALL.areas;
  list.replaceChildren(...wanted.map(([account, hits]) => drawAccount(account, hits, open)));
  const rest = byAccount.size - wanted.length;
  byId('more-accounts').replaceChildren(...(rest > 0 ? [make('button', { type: 'button', class: 'more', onclick: () => { shownAccounts += STEP; draw(); } }, `Show ${number(Math.min(STEP, rest))} of ${count(rest, 'more account')}`)] : []));
  drawCrossing(new Set(result.map((hit) => hit.area)));
  mark(location.hash);
}

/** A heading whose button opens what `fill` makes, when it is first needed. */
function folding(level, name, state, open, labels, fill) {
  const body = make('div', { class: 'body', id: name });
  const button = make('button', { type: 'button', class: 'toggle', 'aria-controls': name }, ...labels);
  const set = (value) => {
    button.setAttribute('aria-expanded', String(value));
    body.hidden = !value;
    if (value && !body.hasChildNodes()) body.append(...fill());
  };
  button.addEventListener('click', () => { state.open = button.getAttribute('aria-expanded') !== 'true'; set(state.open); mark(location.hash); });
  set(open || state.open);
  return [make(`h${level}`, {}, button), body];
}

/** `4 sources`, `1 trail`: what there is of each kind. */
function counts(sum) {
  return [['sources', 'source'], ['buckets', 'log bucket'], ['trails', 'trail']].filter(([key]) => sum(key)).map(([key, what]) => count(sum(key), what));
}

function drawAccount(account, hits, open) {
  const sum = (key) => hits.reduce((total, hit) => total + hit[key].length, 0);
  const silent = hits.filter((hit) => hit.area.silent).length;
  const labels = [
    make('span', { class: 'key' }, account.key), make('span', { class: 'mono soft' }, account.id),
    make('span', { class: 'soft end' }, [`partition ${account.partition}`, count(hits.length, 'Region'), ...counts(sum)].join(' · ')),
    silent ? make('span', { class: 'tag silent' }, silent === hits.length ? 'alerts are silent' : `alerts are silent in ${count(silent, 'Region')}`) : '',
    ...badTags(hits),
  ];
  return make('section', { class: 'account', 'aria-label': `account ${account.key}` },
    ...folding(3, `account-${data.accounts.indexOf(account)}`, account, open, labels, () => hits.map((hit) => drawArea(hit, open))));
}

function drawArea(hit, open) {
  const { area } = hit;
  const labels = [
    make('span', { class: 'mono' }, area.region.name), make('span', { class: 'soft' }, area.region.place),
    make('span', { class: 'soft end' }, [...(area.region.asked ? [] : ['only what is connected']), ...counts((key) => hit[key].length)].join(' · ')),
    area.silent ? make('span', { class: 'tag silent' }, area.silent) : '',
    ...badTags([hit]),
  ];
  return make('div', { class: 'region' },
    ...folding(4, `area-${area.accountAt}-${area.regionAt}`, area, open, labels, () => [
      nodeList('sources', 'Sources', hit.sources),
      nodeList('buckets', 'Log buckets', [...(hit.near || []), ...hit.buckets], hit),
      nodeList('trails', 'Trails', hit.trails),
      ...(area.silent ? [make('p', { class: 'silence' }, 'Alerts are silent: no trail of the map records management events here, which they are made from.')] : []),
    ]));
}

/** How many nodes are wrong, in each way. */
function badTags(hits) {
  const nodes = hits.flatMap((hit) => [...hit.sources, ...hit.buckets, ...hit.trails]);
  return [...BAD].map(([look, words]) => {
    const many = nodes.filter((node) => node.mark && node.mark.look === look).length;
    if (!many) return '';
    return make('span', { class: `tag ${look}` }, look === 'violation' ? count(many, words) : `${number(many)} ${words}`);
  });
}

function nodeList(kind, label, all, hit) {
  const items = make('ul', { class: `nodes ${kind}`, 'aria-label': label });
  if (hit && all.length) {
    // the arrows say to the eye what the details say in words
    const arrow = (side) => make('li', { class: side, 'aria-hidden': 'true' }, make('span', {}, side === 'arrow-in' ? '→' : '←'));
    if (hit.sources.length) items.append(arrow('arrow-in'));
    if (hit.trails.some((node) => !node.crosses)) items.append(arrow('arrow-out'));
  }
  let shown = 0;
  const grow = () => {
    const next = all.slice(shown, shown + STEP).map((node) => make('li', {}, nodeButton(node)));
    shown += next.length;
    items.append(...next);
    const rest = all.length - shown;
    if (rest > 0) {
      const more = make('button', { type: 'button', class: 'node more' }, `Show ${number(Math.min(STEP, rest))} of ${number(rest)} more`);
      const item = make('li', {}, more);
      more.addEventListener('click', () => { item.remove(); const first = grow(); if (first) first.focus(); mark(location.hash); });
      items.append(item);
    }
    return next.length ? next[0].querySelector('button') : null;
  };
  grow();
  return items;
}

function nodeButton(node, context) {
  const classes = ['node', node.kind];
  const tags = [];
  const lines = [];
  if (node.kind === 'source' && !node.group.managed) { classes.push('external'); tags.push(make('span', { class: 'tag' }, 'external')); }
  if (node.kind === 'bucket') { lines.push(node.bucket.takes); if (node.bucket.adopted) classes.push('adopted'); }
  if (node.kind === 'trail') {
    lines.push(node.trail.says);
    if (node.crosses) lines.push(`→ ${where(node.to.area)} (${node.crosses})`);
  }
  if (context) lines.unshift(where(node.area));
  if (node.mark) {
    tags.push(...tagsOf(node.mark));
    if (node.mark.look !== 'ok') { classes.push(node.mark.look); lines.push(...reasonsOf(node.mark).slice(0, 2)); }
  }
  return make('button', { type: 'button', class: classes.join(' '), 'data-hash': hashOf(node), onclick: (event) => select(node, event.currentTarget) },
    make('span', { class: 'mono' }, node.name), ...tags, ...lines.map((line) => make('small', {}, line)));
}

const tag = (found) => make('span', { class: `tag ${found.verdict}` }, { ok: '✓ checked', unknown: '? unknown', violation: '✕ violation' }[found.verdict]);
const STATES = new Map([['as the map says', ['ok', '✓ as the map says']], ['not read', ['unknown', '? not read']], ['drift', ['drift', '≠ drift']], ['drift, silenced in the map', ['open', '≠ drift, silenced in the map']]]);
const DELIVERIES = new Map([['arrives', ['ok', '✓ arrives']], ['unknown', ['unknown', '? delivery not read']], ...['gaps', 'waiting', 'quiet'].map((word) => [word, ['open', `○ ${word}`]]), ...['stopped', 'never', 'misplaced'].map((word) => [word, ['stopped', `⊘ ${word}`]])]);

/** A tag for each thing that is said: a sign, words, and a colour. */
function tagsOf({ check, held }) {
  const of = ([look, words]) => make('span', { class: `tag ${look}` }, words);
  return [...(check ? [tag(check)] : []), ...(held ? [of(STATES.get(held.state))] : []), ...(held && held.delivery ? [of(DELIVERIES.get(held.delivery[1]))] : [])];
}

const reasonsOf = ({ check, held }) => [...(check ? check.reasons.map(([reason]) => reason) : []), ...(held ? [...held.findings.map(([reason]) => reason), ...held.unread] : [])];

function drawCrossing(seen) {
  const flows = [...crossing.values()].filter(([to, from]) => seen.has(to.area) || from.some((node) => seen.has(node.area)));
  byId('crossing').hidden = flows.length === 0;
  byId('crossing').querySelector('ul').replaceChildren(...flows.slice(0, STEP).map(([to, from]) => {
    const few = nodeList('trails', 'Trails', from);
    const trails = from.length <= 3 ? make('ul', { class: 'nodes' }, from.map((node) => make('li', {}, nodeButton(node, true))))
      : make('details', {}, make('summary', {}, `${count(from.length, 'trail')} of ${count(new Set(from.map((node) => node.area.account)).size, 'account')}`), few);
    const what = from.some((node) => node.crosses === 'another account') ? 'crosses accounts' : 'crosses Regions';
    return make('li', {}, make('div', {}, make('span', { class: 'tag crossing' }, what), trails),
      make('span', { class: 'arrow', 'aria-hidden': 'true' }, '→'), nodeButton(to, true));
  }));
}

function drawUnplaced() {
  byId('unplaced').hidden = data.unplaced.length === 0;
  byId('unplaced').querySelector('ul').append(...data.unplaced.slice(0, 200).map((found) => make('li', {}, found.words, tag(found),
    ...found.reasons.map(([reason, place]) => make('div', { class: 'soft' }, `${reason} (${place})`)))));
  if (data.unplaced.length > 200) byId('unplaced').querySelector('ul').append(make('li', {}, `and ${number(data.unplaced.length - 200)} more`));
}
