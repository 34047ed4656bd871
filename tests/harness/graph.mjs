// Pictures and pages of `logmap graph` in a real browser: node graph.mjs JOB.json, which names packages, files and what must be so.
// Prints {check: null or what is wrong}.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { chromium } = createRequire(import.meta.url)(job.playwright);
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath: job.chromium, args: FLAGS });
const results = {};

function expect(truth, message) {
  if (!truth) throw new Error(message);
}
function equal(found, wanted, what) {
  expect(JSON.stringify(found) === JSON.stringify(wanted), `${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}
async function check(name, body) {
  try {
    await body();
    results[name] = null;
  } catch (error) {
    results[name] = String(error.stack || error).slice(0, 3000);
  }
}

// ---- text of pictures: nothing lies on anything else, and nothing leaves its box

/** What is wrong with the picture of the page, in words. Runs in the page. */
function overlaps() {
  const wrong = [];
  const svg = document.querySelector('svg.topology');
  const box = (element) => { const { x, y, width, height } = element.getBBox(); return { x, y, right: x + width, bottom: y + height, said: element.textContent }; };
  const inside = (a, b, slack) => a.x >= b.x - slack && a.y >= b.y - slack && a.right <= b.right + slack && a.bottom <= b.bottom + slack;
  const paper = { x: 0, y: 0, right: svg.viewBox.baseVal.width, bottom: svg.viewBox.baseVal.height };
  // boxes of text include the space above and below letters
  const texts = [...svg.querySelectorAll('text')].map((text) => { const found = box(text); return { ...found, y: found.y + 2, bottom: found.bottom - 2, text }; });
  for (const one of texts) {
    if (!inside(one, paper, 0)) wrong.push(`"${one.said}" leaves the picture`);
    const card = one.text.parentNode.querySelector && one.text.closest('a') && one.text.closest('a').querySelector('.card');
    if (card && !inside(one, box(card), 0)) wrong.push(`"${one.said}" leaves its node`);
  }
  const apart = (all, what) => {
    const sorted = all.sort((a, b) => a.y - b.y);
    sorted.forEach((one, at) => {
      for (let next = at + 1; next < sorted.length && sorted[next].y < one.bottom; next += 1) {
        const other = sorted[next];
        if (one.x < other.right && other.x < one.right) wrong.push(`${what} "${one.said}" and "${other.said}" overlap`);
      }
    });
  };
  apart(texts, 'the texts');
  const cards = [...svg.querySelectorAll('a .card')].map((card) => ({ ...box(card), said: card.closest('a').textContent.trim() }));
  for (const card of cards) if (!inside(card, paper, 0)) wrong.push(`the node "${card.said}" leaves the picture`);
  apart(cards, 'the nodes');
  const plain = texts.filter((one) => !one.text.closest('a')).map((one) => ({ ...one, plain: true }));
  apart([...cards, ...plain], 'the node or text');
  return { wrong: [...new Set(wrong)], texts: texts.length };
}

const pictures = await browser.newPage({ viewport: { width: 1400, height: 900 } });
async function look(file, change = (text) => text) {
  await pictures.setContent(`<body>${change(readFileSync(file, 'utf8'))}</body>`);
  return pictures.evaluate(overlaps);
}
for (const [name, file] of Object.entries(job.pictures)) {
  await check(`picture/${name}`, async () => {
    const { wrong, texts } = await look(file);
    expect(texts > 5, `only ${texts} texts`);
    equal(wrong.slice(0, 8), [], `${wrong.length} mistakes`);
  });
}
await check('picture/selftest', async () => {
  const [, file] = Object.entries(job.pictures)[0];
  const moved = await look(file, (text) => text.replace(/(<text class="name" x=")\d+/, '$11'));
  expect(moved.wrong.some((one) => one.includes('leaves its node')), 'a text that was moved out of its node is not seen');
  const doubled = await look(file, (text) => text.replace(/<text class="small"[^]*?<\/text>/, '$&$&'));
  expect(doubled.wrong.some((one) => one.includes('overlap')), 'two texts at one place are not seen');
});

// ---- Mermaid's own parser, and its drawing

await check('mermaid', async () => {
  await pictures.setContent('<body></body>');
  await pictures.addScriptTag({ path: job.mermaid });
  const parse = (text, draw) => pictures.evaluate(async ([source, drawn]) => {
    window.mermaid.initialize({ startOnLoad: false });
    try {
      await window.mermaid.parse(source);
      return drawn ? (await window.mermaid.render('drawn', source)).svg : '';
    } catch (error) {
      return `refused: ${error.message}`;
    }
  }, [text, draw]);
  for (const [name, file] of Object.entries(job.mermaids)) {
    const said = await parse(readFileSync(file, 'utf8'), name !== 'large');
    expect(!said.includes('refused') && !said.includes('Maximum') && !said.includes('Unsupported markdown'), `${name}: ${said.slice(0, 300)}`);
    for (const word of job.words[name] || []) expect(said.includes(word), `${name}: ${word} is not drawn`);
  }
  expect((await parse('flowchart LR\n a[b --> ]]c', false)).startsWith('refused'), 'the parser takes anything');
});

// ---- pages

async function open(file, options = {}, hash = '') {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10000);
  page.problems = [];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) page.problems.push(message.text()); });
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('request', (request) => { if (request.url().split('#')[0] !== pathToFileURL(file).href) page.problems.push(`asks for ${request.url()}`); });
  await page.goto(pathToFileURL(file).href + hash);
  return page;
}
const quiet = (page) => equal(page.problems, [], 'errors or requests');
const result = (page) => page.textContent('#result');
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.dataset.hash || document.activeElement.textContent);
const shown = (page) => page.$$eval('#list .node:not(.more)', (all) => all.filter((one) => one.offsetParent).map((one) => one.dataset.hash));
const axe = readFileSync(job.axe, 'utf8');
async function accessible(page, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await window.axe.run()).violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`));
  equal(found, [], `axe, ${what}`);
}
const { marked, organization, hostile, large, held, lanes } = job.pages;

await check('page/search', async () => {
  const page = await open(organization);
  equal(await result(page), '15 sources, 8 log buckets, 4 trails in 7 areas', 'all');
  await page.fill('#q', 'acme-prod-ord');
  equal(await result(page), '1 source, 0 log buckets, 0 trails in 1 area match', 'by name');
  equal(await shown(page), ['#source/acme-prod-orders', '#bucket/acme-logs-111122223333-us-east-1'], 'a source and its bucket');
  for (const [words, wanted] of [['222233334444 ireland', 2], ['orders/', 1], ['sydney', 1], ['prod eu-west-1', 2]]) {
    await page.fill('#q', words);
    expect((await result(page)).startsWith(`${wanted} source`), `${words}: ${await result(page)}`);
  }
  await page.fill('#q', 'no such thing');
  equal(await result(page), 'nothing matches', 'nothing');
  await page.click('#clear');
  equal(await shown(page).then((all) => all.length), 15 + 8 + 4, 'all nodes again');
  quiet(page);
});

await check('page/filter', async () => {
  const page = await open(organization);
  await page.selectOption('#account', 'prod');
  equal(await result(page), '7 sources, 3 log buckets, 3 trails in 3 areas match', 'account');
  await page.selectOption('#region', 'eu-west-1');
  equal(await result(page), '2 sources, 1 log bucket, 1 trail in 1 area match', 'account and Region');
  expect(!(await page.isVisible('#bad-field')) && !(await page.isVisible('#partition-field')), 'filters that filter nothing');
  quiet(page);
  const other = await open(marked);
  await other.check('#bad');
  equal(await shown(other), ['#source/acme-prod-web', '#bucket/acme-logs-111122223333-us-east-1'], 'violations alone');
  expect((await other.textContent('#list')).includes('LM1101'), 'the violation is not said');
  expect((await other.textContent('#unplaced')).includes('acme-stranger'), 'what is on no node is not said');
  const parts = await open(job.pages.partitions);
  await parts.selectOption('#partition', 'aws-us-gov');
  equal(await result(parts), '3 sources, 2 log buckets, 1 trail in 2 areas match', 'partition');
});

/** What the panel says once it speaks of a thing: a click changes the address, and the page hears of that later. */
async function told(page, words) {
  await page.waitForFunction((wanted) => document.querySelector('#panel').textContent.includes(wanted), words);
  return page.textContent('#panel');
}

await check('page/details', async () => {
  const page = await open(organization);
  const bucket = 'acme-logs-111122223333-us-east-1';
  await page.click(`#list [data-hash="#bucket/${bucket}"]`);
  equal(await page.textContent('#panel pre'), readFileSync(job.policy, 'utf8').trimEnd(), 'the policy');
  const said = await page.textContent('#panel');
  for (const words of ['exact names', 'bytes used', 'left of 20,480', 'expires after 400 days', 'prod-data', 'team = platform']) expect(said.includes(words), `${words} is not in: ${said.slice(0, 900)}`);
  equal(await page.evaluate(() => location.hash), `#bucket/${bucket}`, 'hash');
  equal(await page.getAttribute(`#list [data-hash="#bucket/${bucket}"]`, 'aria-current'), 'true', 'the selected node');
  await page.reload();
  expect(await page.isVisible('#panel'), 'the selection is lost when the page is loaded again');
  await page.click('#list [data-hash="#source/acme-prod-orders"]');
  const source = await told(page, 'acme-prod-orders');
  for (const words of ['orders/', `s3://${bucket}/orders/`, 'orders/111122223333/us-east-1/acme-prod-orders/', 'partitioned', 'Sid']) expect(source.includes(words), `${words} is not in: ${source.slice(0, 900)}`);
  await page.click('#list [data-hash="#source/acme-dev-eu-web"]');
  expect((await told(page, 'acme-dev-eu-web')).includes('s3-access/acme-dev-eu-web/2'), 'the example key of a simple prefix');
  await page.click('#crossing [data-hash^="#trail/mgmt"]');
  const trail = await told(page, 'another account');
  for (const words of ['another account', 'acme-trails-444455556666-us-east-1', 'AWSLogs/o-a1b2c3d4e5/000011112222/CloudTrail/']) expect(trail.includes(words), `${words} is not in: ${trail}`);
  await page.click('#panel .link');
  expect((await told(page, 'GOVERNANCE')).includes('GOVERNANCE, 365 days'), 'a link leads to the bucket');
  await page.goBack();
  expect((await page.textContent('#panel-title')).includes('Trail organization'), 'back leads back');
  await page.click('#picture a[href="#source/acme-prod-syd-web"]');
  expect((await page.textContent('#panel-title')).includes('acme-prod-syd-web'), 'a node of the picture opens nothing');
  quiet(page);
});

await check('page/held', async () => {
  const page = await open(held);
  const wanted = 'as read at 2026-11-30T02:00:00Z · 9 as the map says · 2 in drift · 2 not read · delivery: 5 arrives, 1 stopped, 1 waiting, 1 unknown';
  equal(await page.textContent('#reading'), wanted, 'what was read');
  const tags = (hash) => page.$$eval(`#list [data-hash="${hash}"] .tag`, (all) => all.map((one) => `${one.className.replace('tag ', '')}: ${one.textContent}`));
  equal(await tags('#source/acme-api'), ['ok: ✓ as the map says', 'ok: ✓ arrives'], 'a source that is right');
  equal(await tags('#source/acme-web'), ['ok: ✓ as the map says', 'stopped: ⊘ stopped'], 'one whose logs stopped');
  equal(await tags('#source/acme-flat'), ['drift: ≠ drift', 'open: ○ waiting'], 'one that drifted');
  equal(await tags('#source/acme-eu'), ['ok: ✓ as the map says', 'unknown: ? delivery not read'], 'one whose logs were not looked for');
  equal(await tags('#source/acme-vault'), ['unknown: ? not read', 'ok: ✓ arrives'], 'one that was not read');
  equal(await tags('#bucket/acme-logs-444455556666-us-east-1'), ['drift: ≠ drift'], 'a log bucket');
  const looks = (hash) => page.$eval(`#list [data-hash="${hash}"]`, (one) => getComputedStyle(one).backgroundColor);
  const colours = await Promise.all(['#source/acme-api', '#source/acme-eu', '#source/acme-vault', '#source/acme-web'].map(looks));
  expect(colours[1] === colours[2] && new Set(colours).size === 3, `what was not read looks as if it were right: ${colours}`);
  // filters and search
  equal(await page.$$eval('#state option', (all) => all.map((one) => one.textContent).slice(0, 4)), ['all', 'as the map says (9)', 'delivery: arrives (5)', 'delivery: stopped (1)'], 'states');
  await page.selectOption('#state', 'not read');
  equal(await shown(page), ['#source/acme-vault', '#bucket/acme-logs-444455556666-us-east-1', '#bucket/acme-logs-111122223333-us-east-1'], 'not read, and the bucket of a source');
  await page.click('#clear');
  await page.fill('#q', 'stopped');
  equal(await result(page), '1 source, 0 log buckets, 0 trails in 1 area match', 'a state that is searched for');
  await page.click('#clear');
  await page.check('#bad');
  equal(await result(page), '2 sources, 1 log bucket, 0 trails in 2 areas match', 'only what is wrong');
  await page.click('#clear');
  // details, with the age of the reading
  await page.click('#list [data-hash="#source/acme-web"]');
  const said = await told(page, 'Held against what runs');
  for (const words of ['delivery: stopped, last on 2026-11-26', 'LM2303: logs of', 'logmap.yaml:', 'as read at 2026-11-30T02:00:00Z']) expect(said.includes(words), `${words} is not in: ${said.slice(0, 1500)}`);
  await accessible(page, 'held');
  const later = await open(held);
  await later.clock.setFixedTime(new Date('2026-12-03T02:00:00Z'));
  await later.click('#list [data-hash="#bucket/acme-logs-444455556666-us-east-1"]');
  expect((await told(later, 'LM2107')).includes('as read at 2026-11-30T02:00:00Z, 3 days ago'), 'the age of the reading');
  const dark = await open(held, { colorScheme: 'dark' });
  await accessible(dark, 'held, dark');
  expect(await dark.evaluate(() => window.injected === undefined), 'an answer of AWS was run');
  quiet(page);
});

await check('page/lanes', async () => {
  const page = await open(lanes);
  equal(await page.$$eval('#crossing li .nodes, #crossing li details', (all) => all.length) >= 5, true, 'each trail by itself');
  equal(await page.$$eval('#list .account > h3 .tag.silent', (all) => all.map((one) => one.textContent)), ['alerts are silent'], 'the account whose alerts are silent');
  await page.fill('#q', 'silent');
  equal(await result(page), '1 source, 1 log bucket, 0 trails in 1 area match', 'a search for silence');
  const strokes = await page.$$eval('#picture path.line.crossing', (all) => [...new Set(all.map((one) => { const style = getComputedStyle(one); return `${style.stroke} ${style.strokeDasharray}`; }))]);
  equal([strokes.length, new Set(strokes.map((one) => one.split(') ')[1])).size], [4, 4], `lines that differ by more than colour: ${strokes}`);
  await accessible(page, 'lanes');
  quiet(page);
});

await check('page/keyboard', async () => {
  const page = await open(organization);
  await page.keyboard.press('/');
  equal(await focused(page), 'q', '/ focuses the search');
  await page.keyboard.type('syd');
  await page.keyboard.press('Escape');
  equal(await page.inputValue('#q'), '', 'Escape clears the search');
  await page.focus('#list .toggle');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  equal(await focused(page), '#source/acme-dev-eu-scratch', 'arrows move');
  await page.keyboard.press('Enter');
  // the address changes first, and the page hears of it later
  await page.waitForSelector('#panel-title:focus', { timeout: 10_000 });
  equal(await focused(page), 'panel-title', 'Enter opens the details');
  await page.keyboard.press('Escape');
  equal([await page.isVisible('#panel'), await focused(page), await page.evaluate(() => location.hash)], [false, '#source/acme-dev-eu-scratch', ''], 'Escape closes, and the focus is where it was');
  await page.keyboard.press('ArrowLeft');
  expect((await focused(page)).startsWith('eu-west-1'), `left goes to the Region: ${await focused(page)}`);
  await page.keyboard.press('ArrowLeft');
  equal(await page.$eval(':focus', (one) => one.getAttribute('aria-expanded')), 'false', 'left closes it');
  await page.keyboard.press('ArrowRight');
  equal(await page.$eval(':focus', (one) => one.getAttribute('aria-expanded')), 'true', 'right opens it');
  const outline = await page.$eval(':focus', (one) => getComputedStyle(one).outlineStyle);
  equal(outline, 'solid', 'the focus is seen');
  quiet(page);
  const fresh = await open(organization);
  const order = [];
  for (let at = 0; at < 5; at += 1) { await fresh.keyboard.press('Tab'); order.push(await focused(fresh)); }
  equal(order, ['Skip to the topology', 'theme', 'q', 'account', 'region'], 'the order of Tab');
});

await check('page/colours', async () => {
  const page = await open(organization, { colorScheme: 'light' });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await paper();
  expect(light !== dark, 'dark is as light');
  await page.click('#theme');
  equal([await page.textContent('#theme'), await paper()], ['Colours: light', light], 'light by choice');
  await page.click('#theme');
  await page.emulateMedia({ colorScheme: 'light' });
  equal([await page.textContent('#theme'), await paper()], ['Colours: dark', dark], 'dark by choice');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  equal(await page.$eval('#list .node', (one) => getComputedStyle(one).transitionDuration), '0s', 'motion');
  await page.emulateMedia({ media: 'print' });
  expect(!(await page.isVisible('#filters')) && (await page.isVisible('#picture svg')), 'print');
  quiet(page);
});

await check('page/accessibility', async () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, file] of [['organization', organization], ['marked', marked]]) {
      const page = await open(file, { colorScheme });
      await accessible(page, `${name}, ${colorScheme}`);
      await page.click('#list .node');
      await accessible(page, `${name}, ${colorScheme}, with details`);
    }
  }
  const page = await open(organization);
  await page.evaluate(() => document.querySelector('#q').labels[0].remove());
  await page.evaluate(axe);
  const found = await page.evaluate(async () => { document.querySelector('#q').removeAttribute('placeholder'); return (await window.axe.run()).violations.length; });
  expect(found > 0, 'axe finds nothing in a page without a label');
});

await check('page/phone', async () => {
  for (const file of [organization, marked, hostile]) {
    const page = await open(file, { viewport: { width: 390, height: 844 } });
    await page.click('#list .node');
    await page.click('#close');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide <= 390, `${file}: ${wide} pixels wide`);
    const cut = await page.$$eval('.node, .toggle, h1, #panel dd', (all) => all.filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent));
    equal(cut, [], 'cut off');
    quiet(page);
  }
});

await check('page/closed', async () => {
  for (const file of [hostile, marked]) {
    const page = await open(file);
    equal(await page.$$eval('script', (all) => all.length), 2, 'scripts');
    equal(await page.$$eval('img, iframe, object, embed, link, [onerror], [onload], [style]', (all) => all.map((one) => one.outerHTML.slice(0, 200))), [], 'elements of the map');
    expect(await page.evaluate(() => window.injected === undefined), 'a string was run');
    quiet(page);
  }
  const page = await open(hostile);
  equal(await page.$eval('#list [data-hash="#source/constructor"]', (node) => [node.className, node.textContent]), ['node source', 'constructor'], 'a source called `constructor`');
  await page.click('#list [data-hash="#source/acme-own"]');
  expect((await page.textContent('#panel')).includes(job.prefix), 'the prefix is not shown as it is');
  expect(await page.evaluate(() => window.injected === undefined), 'a string of the map was run');
  quiet(page);
  const blocked = await page.evaluate(() => new Promise((done) => {
    const seen = [];
    document.addEventListener('securitypolicyviolation', (event) => { seen.push(event.effectiveDirective); if (seen.length === 3) done(seen.sort()); });
    const script = document.createElement('script');
    script.textContent = 'window.injected = 1';
    const image = document.createElement('img');
    image.src = 'https://example.invalid/x.png';
    const style = document.createElement('style');
    style.textContent = 'body { color: red }';
    document.body.append(script, image, style);
  }));
  equal(blocked, ['img-src', 'script-src-elem', 'style-src-elem'], 'the policy of the page');
  expect(await page.evaluate(() => window.injected === undefined), 'the policy of the page lets scripts run');
});

await check('page/without-script', async () => {
  const page = await open(organization, { javaScriptEnabled: false });
  expect(await page.isVisible('#picture svg') && await page.isVisible('.note'), 'no picture');
  expect(!(await page.isVisible('#filters')) && !(await page.isVisible('#areas')), 'controls that do nothing');
});

await check('page/large', async () => {
  const page = await open(large);
  const counts = () => page.evaluate(() => document.querySelectorAll('#list *').length);
  expect(await counts() < 1500, `${await counts()} elements at first`);
  equal(await page.$$eval('#list .toggle[aria-expanded="true"]', (all) => all.length), 0, 'closed at first');
  const took = await page.evaluate((words) => {
    const q = document.getElementById('q');
    const start = performance.now();
    q.value = words;
    q.dispatchEvent(new Event('input'));
    return performance.now() - start;
  }, 'a7 west');
  expect(took < 3000, `a search takes ${took} ms`);
  expect((await result(page)).startsWith('125 sources'), await result(page));
  equal(await page.$$eval('#list .node.source', (all) => all.length), 100, 'a hundred at a time');
  await page.click('#list .more');
  equal(await page.$$eval('#list .node.source', (all) => all.length), 125, 'and the rest');
  await page.click('#clear');
  await page.click('#list .toggle >> nth=3');
  await page.click('#list .account >> nth=3 >> .region .toggle >> nth=0');
  expect(await page.isVisible('#list .node.source'), 'a Region does not open');
  quiet(page);
});

await browser.close();
console.log(JSON.stringify(results));
