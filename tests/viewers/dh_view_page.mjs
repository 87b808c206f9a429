// dh_view_page.mjs FILE: load FILE into valgrind's dh_view.html as people do. Prints a JSON object: complaints,
// and for each sort metric that the page offers its name, whether the page shows an error, and what it shows.
import { openPage, withBrowser } from './browser.mjs';

await withBrowser(async (browser) => {
	const page = await openPage(browser, 'file:///usr/libexec/valgrind/dh_view.html');
	const input = await page.$('input[type=file]');
	const metrics = [];

	await input.uploadFile(process.argv[2]);
	await page.waitForFunction('document.querySelector("pre, .error")');
	const offered = await page.evaluate(() => [...document.querySelectorAll('option')]
		.filter((e) => !e.disabled).map((e) => ({ value: e.value, name: e.textContent })));
	for (const { value, name } of offered) {
		await page.select('select', value);
		metrics.push({
			name,
			failed: await page.evaluate(() => !!document.querySelector('.error')),
			text: await page.evaluate(() => document.querySelector('pre')?.innerText || ''),
		});
	}
	console.log(JSON.stringify({ complaints: page.complaints, title: await page.title(), metrics }));
});
