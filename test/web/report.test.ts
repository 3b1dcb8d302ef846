import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, suite, test } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { writeReport } from '../../src/host/report.ts';
import { chromiumPath, lacks } from '../support/needs.ts';
import { reportFixture } from '../support/report-fixture.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Opened {
  page: Page;
  /** Console errors, page errors and requests that left the file. */
  trouble: string[];
}

suite('report.html in a browser', { skip: lacks('chromium') }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-report-'));
  let browser: Browser;

  before(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath(), args: FLAGS });
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(input: ReturnType<typeof reportFixture>, name: string): Promise<Opened> {
    const file = await writeReport({ ...input, outDir: path.join(folder, name) });
    const context = await browser.newContext({ offline: true });
    const page = await context.newPage();
    const trouble: string[] = [];
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('console', (line) => {
      if (['error', 'warning'].includes(line.type())) trouble.push(line.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) trouble.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    return { page, trouble };
  }

  test('shows the verdict, the seed and the command that repeats the run', async () => {
    const { page, trouble } = await open(reportFixture(), 'banner');
    const banner = page.locator('header.banner');
    assert.equal(await banner.locator('h1').textContent(), 'invalid');
    assert.match(await banner.innerText(), /seed\s+42/);
    assert.match(await banner.innerText(), /212 acknowledged records are lost/);
    assert.equal(
      await page.locator('#repro').textContent(),
      './run demo --seed 42 --unsafe acks=1',
    );
    assert.deepEqual(trouble, []);
  });

  test('has a band and a row for every fault, and charts with something in them', async () => {
    const input = reportFixture();
    const { page, trouble } = await open(input, 'bands');
    const ids = input.run.schedule.faults.map(({ id }) => id);
    assert.ok(ids.length >= 6, 'the fixture has faults');
    const links = await page
      .locator('.lanes a.band')
      .evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''));
    assert.equal(links.length, ids.length);
    assert.deepEqual(new Set(links), new Set(ids.map((id) => `#fault-${id}`)));
    for (const id of ids) assert.equal(await page.locator(`[id="fault-${id}"]`).count(), 1, id);
    assert.equal(await page.locator('.plot canvas').count(), 3);
    const painted = await page.locator('.plot canvas').evaluateAll((all) =>
      all.map((one) => {
        const canvas = one as unknown as {
          width: number;
          height: number;
          getContext(kind: '2d'): {
            getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
          };
        };
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      }),
    );
    for (const colours of painted) assert.ok(colours > 20, `a chart with ${colours} colours`);
    assert.deepEqual(trouble, []);
  });

  test('says what is not as planned in words, and shows receipts', async () => {
    const { page } = await open(reportFixture(), 'trouble');
    const faults = await page.locator('#faults').innerText();
    assert.match(faults, /ended early by guard/);
    assert.match(faults, /refused/);
    await page.locator('#faults summary').first().click();
    assert.match(await page.locator('#faults').innerText(), /delete nft table inet faultline-ab12/);
  });

  test('reads out the instant under the pointer and by arrow keys', async () => {
    const { page } = await open(reportFixture(), 'readout');
    const readout = page.locator('.readout');
    await page
      .locator('.u-over')
      .first()
      .hover({ position: { x: 300, y: 60 } });
    assert.match((await readout.textContent()) ?? '', /^0:\d\d\.\d · .*controller: node \d/);
    assert.match(await page.locator('figcaption').first().innerText(), /acknowledged [\d,]+\/s/);
    const before = await readout.textContent();
    await page.locator('.stage').press('ArrowRight');
    assert.notEqual(await readout.textContent(), before);
  });

  test('zooms by dragging over a chart, and shows all again', async () => {
    const { page } = await open(reportFixture(), 'zoom');
    const bands = page.locator('.lanes a.band');
    const all = await bands.count();
    await page.locator('.u-over').first().scrollIntoViewIfNeeded();
    const box = await page.locator('.u-over').first().boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 20, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 40, { steps: 5 });
    await page.mouse.up();
    assert.ok((await bands.count()) < all, 'bands outside the stretch are gone');
    await page.locator('button.all').click();
    assert.equal(await bands.count(), all);
  });

  test('evidence leads to its instant on the timeline', async () => {
    const { page } = await open(reportFixture(), 'evidence');
    await page.locator('#anomalies button.when').first().click();
    assert.match((await page.locator('.readout').textContent()) ?? '', /^0:31\.0/);
  });

  test('tables have captions and headed rows; every scrolling part can be focused', async () => {
    const { page } = await open(reportFixture(), 'access');
    const tables = await page.locator('table').count();
    assert.ok(tables >= 6);
    assert.equal(await page.locator('table > caption').count(), tables);
    assert.equal(await page.locator('tbody tr:not(.below):not(:has(th[scope=row]))').count(), 0);
    assert.equal(await page.locator('.table:not([tabindex])').count(), 0);
  });

  test('hostile names stay text', async () => {
    const hostile = '</script><script>document.title="broken"</script><img src=x onerror=alert(1)>';
    const input = reportFixture();
    for (const anomaly of input.verdict.anomalies) {
      for (const example of anomaly.examples) {
        example.topic = hostile;
        example.says = `${hostile}\u2028<!--`;
      }
    }
    input.run.scenario.name = hostile;
    input.verdict.reasons.push(hostile);
    const { page, trouble } = await open(input, 'hostile');
    const title = await page.title();
    assert.ok(title.includes(hostile), title);
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.locator('script').count(), 2);
    assert.ok((await page.locator('#anomalies').innerText()).includes(hostile));
    assert.deepEqual(trouble, []);
  });

  test('opens hours of samples with a thousand faults', async () => {
    const { page, trouble } = await open(reportFixture(7, 10_000_000), 'hours');
    assert.equal(await page.locator('.plot canvas').count(), 3);
    assert.deepEqual(trouble, []);
  });

  test('a run without verdict, workload or faults is a page too', async () => {
    const { run, nodes, generatedAt } = reportFixture();
    run.phase = 'starting';
    const input = { run, nodes, generatedAt, timeline: [], series: [] };
    const { page, trouble } = await open(
      input as unknown as ReturnType<typeof reportFixture>,
      'bare',
    );
    assert.equal(await page.locator('h1').textContent(), 'no verdict');
    assert.deepEqual(trouble, []);
  });
});
