// Third part: what is told of a node.

const panel = byId('panel');
let opener = null;

const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;
/** JSON as logmap writes it: what does not show is an escape. */
const pretty = (value) => JSON.stringify(value, null, 2).replace(UNSEEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

function facts(...pairs) {
  return make('dl', {}, pairs.filter(([, value]) => value !== undefined && value !== '').flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
}
const code = (text) => make('code', {}, text || '(none)');
const link = (node, text) => make('button', { type: 'button', class: 'link', onclick: () => select(node) }, text || node.name);
const heading = (text) => make('h3', {}, text);

function place(area) {
  return [['account', `${area.account.key} (${area.account.id})`], ['Region', `${area.region.name}${area.region.place ? `, ${area.region.place}` : ''}`], ['partition', area.account.partition],
    ['guardrails', area.account.guarded ? 'an SCP and an RCP, in guardrails/: they bind once the organization attaches them' : '']];
}

const listed = (reasons) => (reasons.length ? make('ul', {}, reasons.map(([reason, at]) => make('li', {}, reason, at ? make('div', { class: 'soft' }, at) : ''))) : '');

/** `3 days ago`, by the clock of whoever reads the page. */
function age(at) {
  const seconds = (Date.now() - Date.parse(at)) / 1000;
  if (!(seconds >= 0)) return '';
  const [value, unit] = seconds < 7200 ? [seconds / 60, 'minute'] : seconds < 172800 ? [seconds / 3600, 'hour'] : [seconds / 86400, 'day'];
  return `, ${count(Math.floor(value), unit)} ago`;
}

function checked(node) {
  if (!node.mark) return [];
  const { check, held } = node.mark;
  const parts = [];
  if (check) parts.push(heading('Checked'), make('div', { class: `reasons ${check.verdict}` }, make('p', {}, check.words, tag(check)), listed(check.reasons)));
  if (held) {
    const look = tagsOf({ held });
    const when = held.taken_at ? `as read at ${held.taken_at}${age(held.taken_at)}` : 'its account is in no snapshot';
    parts.push(heading('Held against what runs'), make('div', { class: `reasons ${held.look}` },
      make('p', {}, [held.state, ...(held.delivery ? [held.delivery[0]] : [])].join('; '), ...look), make('p', { class: 'soft when' }, when),
      listed(held.findings), listed(held.unread.map((words) => [words, '']))));
  }
  return parts;
}

function json(title, value) {
  const text = pretty(value);
  const copy = make('button', { type: 'button' }, 'Copy');
  copy.addEventListener('click', () => navigator.clipboard.writeText(`${text}\n`).then(() => { copy.textContent = 'Copied'; }, () => { copy.textContent = 'Select it and copy'; }));
  return [heading(title), copy, make('pre', { tabindex: '0', role: 'region', 'aria-label': title }, make('code', {}, text))];
}

function retention(bucket) {
  const after = (days) => (days === null ? 'never' : `after ${count(days, 'day')}`);
  if (!bucket.lifecycle.length) return make('p', {}, 'Other code sets its lifecycle rules.');
  return make('ul', {}, bucket.lifecycle.map((rule) => make('li', {}, code(rule.prefix || 'the whole bucket'),
    `: expires ${after(rule.expire_after_days)}, old versions ${rule.noncurrent_expire_after_days === null ? 'never' : `after ${number(rule.noncurrent_expire_after_days)}`}`,
    [rule.transition || []].flat().map((to) => `, ${to.storage_class} after ${number(to.after_days)}`).join('')
      + (rule.transition_larger_than_bytes === undefined ? '' : ` if larger than ${rule.transition_larger_than_bytes} bytes`))));
}

/** An account as people know it. */
const nameOf = (id) => (data.accounts.find((account) => account.id === id) || { key: id }).key;

const details = {
  source(node) {
    const { group, area } = node;
    const to = accessBucket(area);
    const key = prefixOf(node) + group.rest.replace('{source}', node.name);
    const statement = to && to.bucket.policy.Statement.find((one) => one.Sid === group.sid);
    return [facts(...place(area),
      ['logging', group.managed ? 'set by what logmap generates' : 'external: someone else’s code sets it; it is granted and checked here'],
      ['log bucket', to ? link(to) : ''], ['prefix', code(prefixOf(node))], ['destination', code(to ? `s3://${to.name}/${prefixOf(node)}` : '')],
      ['key format', group.format], ['example key', code(key)], ['let in by', make('span', {}, code(group.sid), to ? ` (tier ${to.bucket.tier})` : '')]),
    ...checked(node), to ? heading('Retention') : '', to ? retention(to.bucket) : '',
    ...(statement ? json('The statement that lets it in', statement) : [])];
  },
  bucket(node) {
    const { bucket, area } = node;
    const limit = bucket.used + bucket.left;
    const bar = make('div', { class: 'bar', 'aria-hidden': 'true' }, make('div', {}));
    bar.firstChild.style.width = `${Math.min(100, (bucket.used / limit) * 100)}%`;
    const takes = node.takes.slice(0, STEP);
    return [facts(...place(area), ['ARN', code(bucket.arn)], ['takes', bucket.takes], ['sources', bucket.access ? number(area.sources.length) : '0'],
      ['copied to', node.copiedTo ? make('span', {}, link(node.copiedTo), ` ${where(node.copiedTo.area)}`) : ''],
      ['adopted', bucket.adopted ? 'yes: it exists, and is imported' : ''], ['namespace', bucket.regional ? 'account-regional' : ''],
      ['tier', bucket.tier], ['policy', make('span', {}, `${number(bucket.used)} bytes used, ${number(bucket.left)} left of ${number(limit)}`, bar)],
      ['versioning', bucket.versioning ? 'enabled' : 'suspended'], ['Object Lock', bucket.lock]),
    bucket.notes.length ? make('ul', {}, bucket.notes.map((note) => make('li', {}, note))) : '',
    ...checked(node), heading('Retention'), retention(bucket),
    ...(takes.length ? [heading('Trails that deliver here'), make('ul', {}, takes.map((trail) => make('li', {}, link(trail), ` ${where(trail.area)}`)), node.takes.length > STEP ? make('li', {}, `and ${number(node.takes.length - STEP)} more`) : '')] : []),
    ...(node.copies ? [heading('Log buckets that are copied here'), make('ul', {}, node.copies.slice(0, STEP).map((from) => make('li', {}, link(from), ` ${where(from.area)}`)), node.copies.length > STEP ? make('li', {}, `and ${number(node.copies.length - STEP)} more`) : '')] : []),
    ...(bucket.senders ? [heading('Other services that may write'), make('ul', {}, bucket.senders.map((one) => make('li', {}, `${one.service}: `, code(`s3://${node.name}/${one.folder}`), ` for ${one.accounts.map(nameOf).join(', ')}${one.more ? ` and ${number(one.more)} more` : ''}`)))] : []),
    ...(bucket.tags.length ? [heading('Tags'), make('ul', {}, bucket.tags.map(([key, value]) => make('li', {}, code(`${key} = ${value}`))))] : []),
    ...json('Bucket policy', bucket.policy)];
  },
  trail(node) {
    const { trail, area } = node;
    const folder = `s3://${trail.bucket}/${trail.folder}`;
    return [facts(...place(area), ['ARN', code(trail.arn)], ['records', trail.says],
      ['adopted', trail.adopt ? 'yes: it exists, and is imported' : ''],
      ['delivers to', node.to ? make('span', {}, link(node.to), ` ${where(node.to.area)}`) : trail.bucket], ['crosses', node.crosses],
      ['prefix', code(trail.prefix)], ['example key', code(`${folder}${area.account.id}/CloudTrail/${area.region.name}/2026/01/31/…json.gz`)],
      ['KMS key', trail.kms_key_arn ? code(trail.kms_key_arn) : 'none'], ['validation', trail.log_file_validation ? 'digest files are delivered' : 'off'],
      ['data events', trail.data_events_exclude ? 'of S3, without those of log buckets' : 'no']), ...checked(node)];
  },
};
const KINDS = { source: 'Source', bucket: 'Log bucket', trail: 'Trail' };

function select(node, from) {
  opener = from || (panel.contains(document.activeElement) ? opener : document.activeElement);
  if (location.hash === encodeURI(hashOf(node))) show(node);
  else location.hash = encodeURI(hashOf(node)).slice(1);
}

function nodeOf(hash) {
  try { return nodes.get(decodeURI(hash)); } catch { return undefined; }
}

function show(node) {
  panel.hidden = false;
  document.querySelector('.columns').classList.add('with-panel');
  byId('panel-title').textContent = `${KINDS[node.kind]} ${node.name}`;
  byId('panel-body').replaceChildren(...details[node.kind](node).filter(Boolean));
  panel.scrollTop = 0;
  byId('panel-title').focus({ preventScroll: matchMedia('(min-width: 1001px)').matches });
  mark(location.hash);
}

function hide() {
  if (panel.hidden) return false;
  const hash = location.hash;
  panel.hidden = true;
  document.querySelector('.columns').classList.remove('with-panel');
  history.replaceState(null, '', location.pathname + location.search);
  const again = [...document.querySelectorAll('[data-hash]')].find((button) => encodeURI(button.dataset.hash) === hash);
  const back = opener && opener.isConnected ? opener : again || byId('q');
  back.focus();
  mark('');
  return true;
}

/** Shows which node the panel is about. */
function mark(hash) {
  const selected = panel.hidden ? '' : hash;
  for (const button of document.querySelectorAll('[data-hash]')) {
    if (selected && encodeURI(button.dataset.hash) === selected) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}

function follow() {
  const node = nodeOf(location.hash);
  if (node) {
    if (!opener) opener = document.activeElement === document.body ? null : document.activeElement;
    show(node);
  } else if (!location.hash) hide();
}
