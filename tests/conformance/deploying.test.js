// The program in JavaScript of docs/deploying.md, as it stands there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lorta, repository, temporaryFolder } from './lorta.js';

const folder = temporaryFolder();
const text = 'A café, naïve and fine — 日本語 🙂; said  she: yes.';

test('the program of the page gives the probabilities that lorta predicts', async () => {
    const [, program] = readFileSync(repository('docs', 'deploying.md'), 'utf8').match(/```js\n([^]*?)```/);
    writeFileSync(join(folder, 'classify.mjs'), program);
    symlinkSync(repository('tests', 'conformance', 'node_modules'), join(folder, 'node_modules'), 'junction');
    writeFileSync(join(folder, 'rows.tsv'), 'sentence\tlabel\ngood\tpositive\nbad\tnegative\nfine\tpositive\n');
    writeFileSync(join(folder, 'texts.jsonl'), JSON.stringify({ text }));
    const [run, deployed, expected] = ['run', 'deployed', 'expected.jsonl'].map(name => join(folder, name));
    await lorta('train', repository('models/recipes/reviews.yaml'), '--set', 'train.epochs=1', '--set', `data.train=${join(folder, 'rows.tsv')}`, '-o', run);
    await lorta('export', repository('models/roberta-mini'), '--adapter', run, '-o', deployed);
    await lorta('predict', deployed, '--input', join(folder, 'texts.jsonl'), '-o', expected);

    const said = execFileSync(process.execPath, [join(folder, 'classify.mjs'), deployed, text], { env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' }, encoding: 'utf8' });

    const row = JSON.parse(readFileSync(expected, 'utf8'));
    const scores = said.trim().split('\n').map(line => line.split('\t'));
    assert.deepEqual(scores.map(([label]) => label), ['negative', 'positive']);
    for (const [label, score] of scores) assert.ok(Math.abs(score - row[label]) < 1e-6, `${label}: ${score} against ${row[label]}`);
});
