// flame_svg.mjs FILE NAME TERM: use a flame graph as people do. Prints a JSON object: what it
// looks like, what a click on the first box called NAME does, and what a search for TERM finds.
import { fileUrl, openPage, withBrowser } from './browser.mjs';

const [file, name, term] = process.argv.slice(2);

// In the page: boxes seen, texts wider than their box, and names of boxes as wide as all.
function look() {
	const seen = [...document.querySelectorAll('#boxes>svg')].filter((e) => e.style.display !== 'none');
	const root = document.documentElement;
	const full = +root.getAttribute('width') - 2 * root.dataset.margin;
	const title = (e) => e.querySelector('title').textContent.split('\n')[0];

	return {
		boxes: seen.length,
		labels: seen.filter((e) => e.querySelector('text')?.textContent).length,
		overflowing: seen.filter((e) => {
			const text = e.querySelector('text');
			return text && text.getComputedTextLength() > +e.getAttribute('width');
		}).map(title),
		full: seen.filter((e) => Math.abs(e.getAttribute('width') - full) < 0.1).map(title),
		hits: seen.filter((e) => e.classList.contains('hit')).length,
		found: document.getElementById('found').textContent,
		detail: document.getElementById('detail').textContent.trim(),
		reset: document.getElementById('reset').style.display !== 'none',
	};
}

await withBrowser(async (browser) => {
	const page = await openPage(browser, fileUrl(file));
	const result = { start: await page.evaluate(look) };
	const box = await page.evaluateHandle((wanted) => [...document.querySelectorAll('#boxes>svg')].find(
		(e) => e.querySelector('title').textContent.split('\n')[0] === wanted), name);

	await box.evaluate((e) => e.scrollIntoView({ block: 'center' }));
	await box.hover();
	result.hover = await page.evaluate(look);
	await box.click();
	result.zoomed = await page.evaluate(look);
	await page.keyboard.press('Escape');
	result.back = await page.evaluate(look);
	await page.keyboard.press('/');
	await page.keyboard.type(term);
	result.searched = await page.evaluate(look);
	await page.keyboard.press('Escape');
	result.cleared = await page.evaluate(look);
	result.complaints = page.complaints;
	result.requests = page.requests.length;
	console.log(JSON.stringify(result));
});
