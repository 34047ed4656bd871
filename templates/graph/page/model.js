'use strict';
// First part of the page's script: what there is, by its fragment, and what the filters leave of it. Everything from the map goes
// on the screen as text; nothing is ever parsed as markup.

const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);
const STEP = 100; // sources, or accounts, that are shown at a time
const SMALL = { areas: 20, sources: 120 }; // a topology of this size is open at first
const number = (value) => value.toLocaleString('en');
const count = (value, what) => `${number(value)} ${what}${value === 1 ? '' : 's'}`;

/** An element with attributes (`on…` are listeners) and children; strings are text. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ''));
  return element;
}

const areas = [];
const nodes = new Map();
data.accounts.forEach((account, accountAt) => {
  account.areas = account.regions.map((region, regionAt) => {
    const area = { account, region, accountAt, regionAt, open: false };
    area.silent = region.silent ? 'alerts are silent' : '';
    area.text = [area.silent, account.key, account.id, account.partition, region.name, region.place].join(' ').toLowerCase();
    const markOf = (at) => (Number.isInteger(at) ? data.marks[at] : undefined);
    area.sources = region.groups
      .flatMap((group) => group.names.map((name, at) => ({ kind: 'source', name, group, area, mark: markOf((group.marks || [])[at]) })))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    area.buckets = region.buckets.map((bucket) => ({ kind: 'bucket', name: bucket.name, bucket, area, mark: markOf(bucket.mark), takes: [] }));
    area.trails = region.trails.map((trail) => ({ kind: 'trail', name: trail.name, trail, area, mark: markOf(trail.mark) }));
    for (const node of [...area.sources, ...area.buckets, ...area.trails]) nodes.set(hashOf(node), node);
    areas.push(area);
    return area;
  });
});
const crossing = new Map(); // by bucket and name of the trail: two trails into one bucket are two deliveries
for (const [account, region, trail, toAccount, toRegion, bucket] of data.deliveries) {
  const from = data.accounts[account].areas[region].trails[trail];
  const to = data.accounts[toAccount].areas[toRegion].buckets[bucket];
  from.to = to;
  to.takes.push(from);
  if (account !== toAccount || region !== toRegion) {
    from.crosses = account !== toAccount ? 'another account' : 'another Region';
    const flow = `${hashOf(to)} ${from.name}`;
    if (!crossing.has(flow)) crossing.set(flow, [to, []]);
    crossing.get(flow)[1].push(from);
  }
}
for (const [account, region, bucket, toAccount, toRegion, archive] of data.copies || []) {
  const from = data.accounts[account].areas[region].buckets[bucket];
  const to = data.accounts[toAccount].areas[toRegion].buckets[archive];
  from.copiedTo = to;
  (to.copies ||= []).push(from);
}
const sources = areas.reduce((sum, area) => sum + area.sources.length, 0);
const small = areas.length <= SMALL.areas && sources <= SMALL.sources;
areas.forEach((area) => { area.open = small; });
data.accounts.forEach((account) => { account.open = small; });

function hashOf(node) {
  const parts = node.kind === 'trail' ? [node.area.account.key, node.area.region.name, node.name] : [node.name];
  return `#${node.kind}/${parts.join('/')}`;
}
const prefixOf = (source) => source.group.prefix + (source.group.own ? `${source.name}/` : '');
const accessBucket = (area) => area.buckets.find((node) => node.bucket.access);
const where = (area) => `${area.account.key} · ${area.region.name}`;

// what is wrong with a node, in the order in which it counts; each has words of its own
const BAD = new Map([['violation', 'violation'], ['stopped', 'without logs'], ['drift', 'in drift']]);
const isBad = (node) => node.mark !== undefined && BAD.has(node.mark.look);
/** What is said of a node, in words: by these one searches and filters. */
function said(node) {
  if (!node.mark) return [];
  const { check, held } = node.mark;
  return [...(check ? [{ ok: 'checked, ok', unknown: 'can’t be known', violation: 'violation' }[check.verdict]] : []),
    ...(held ? [held.state] : []), ...(held && held.delivery ? [`delivery: ${held.delivery[1]}`] : [])];
}
for (const area of areas) for (const node of [...area.sources, ...area.buckets, ...area.trails]) node.said = said(node);

const filter = { terms: [], account: '', region: '', partition: '', state: '', bad: false };
const active = () => filter.terms.length > 0 || filter.bad || filter.state !== '';

function matches(node) {
  if (filter.bad && !isBad(node)) return false;
  if (filter.state && !node.said.includes(filter.state)) return false;
  return filter.terms.every((term) => node.area.text.includes(term) || node.name.toLowerCase().includes(term)
    || node.said.some((words) => words.includes(term))
    || (node.kind === 'source' ? prefixOf(node) : '').toLowerCase().includes(term));
}

/** The areas that are to be seen, with what matches in each. */
function found() {
  const result = [];
  for (const area of areas) {
    const { account, region } = area;
    if ((filter.account && account.key !== filter.account) || (filter.region && region.name !== filter.region)
      || (filter.partition && account.partition !== filter.partition)) continue;
    if (!active()) {
      result.push({ area, sources: area.sources, buckets: area.buckets, trails: area.trails });
      continue;
    }
    const [inSources, inBuckets, inTrails] = [area.sources, area.buckets, area.trails].map((list) => list.filter(matches));
    if (inSources.length + inBuckets.length + inTrails.length) {
      // a source that is found is shown with its log bucket
      const near = inSources.length ? area.buckets.filter((node) => node.bucket.access && !inBuckets.includes(node)) : [];
      result.push({ area, sources: inSources, buckets: inBuckets, trails: inTrails, near });
    }
  }
  return result;
}
