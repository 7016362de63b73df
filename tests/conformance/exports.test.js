// Every exported file among the fixtures, with an adapter folded into its weights and with the adapter beside them (--keep-base).
// onnxruntime-node and onnxruntime-web load and run all of them; a file that one of them refused would fail here.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { exportedFiles, missing } from './fixtures.js';
import { inject, lorta, temporaryFolder } from './lorta.js';
import { distance, logits, relativeDistance, runtimes } from './runtimes.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

const folder = temporaryFolder();
const forms = { folded: [], 'kept base': ['--keep-base'] };

const [node, web] = Object.keys(runtimes);

// How far results may be apart, relative to the largest logit: those of the two runtimes, and those of each from the reference.
const kinds = [
    // Activations are rounded to 8 bits when the file runs, by every processor in its own way.
    { files: /int8/, runtimes: 0.1, reference: { [node]: 0.2, [web]: 0.2 }, isQuantized: true },
    // The same (accuracy_level 4), but the web's kernel does not round.
    { files: /int4|smollm2/, runtimes: 0.1, reference: { [node]: 0.2, [web]: 1e-5 }, isQuantized: true },
    // Weights or arithmetic have 16 bits.
    { files: /fp16|minilm/, runtimes: 5e-3, reference: { [node]: 5e-3, [web]: 5e-3 } },
    { files: /./, runtimes: 1e-5, reference: { [node]: 1e-5, [web]: 1e-5 } },
];

const within = (limit, difference) => assert.ok(difference <= limit, `off by ${difference}`);

// One adapter for each golden, whichever of its exports asks first: it folds into all of them.
const adapters = new Map();
function adapterFor({ name, file, sites, golden }) {
    const key = (golden ?? { name }).name;
    if (!adapters.has(key)) adapters.set(key, inject(file, join(folder, `${adapters.size}.onnx`), golden ?? drawn(sites)));
    return adapters.get(key);
}

// Where no golden holds: drawn factors, and numbers in the one that would start at zero.
function drawn({ headWidth }) {
    const [rank, file] = [4, join(folder, `${adapters.size}.safetensors`)];
    writeSafetensors(file, 'B', Float32Array.from({ length: headWidth * rank }, (_, i) => Math.sin(i + 1)), [headWidth, rank]);
    return { method: 'lorta', rank, alpha: 2, targets: ['q', 'k', 'v', 'p'], options: {}, file };
}

if (missing) test('exports', { skip: missing });

describe('exports', { concurrency: 2 }, () => {
    for (const [index, exported] of exportedFiles().entries()) {
        const { name, file, sites, golden } = exported;
        const limits = kinds.find(kind => kind.files.test(name));

        describe(name, () => {
            const batch = readSafetensors(exported.batch);
            const written = form => join(folder, `${index}.${form}.onnx`);
            const results = new Map();   // of the runtimes by form; each file is run once
            const run = (runtime, form) => {
                const key = `${runtime} ${form}`;
                if (!results.has(key)) results.set(key, logits(runtime, form === 'base' ? file : written(form), batch, sites));
                return results.get(key);
            };

            before(async () => {
                const adapter = await adapterFor(exported);
                await Promise.all(Object.entries(forms).map(([form, options]) => lorta('export', file, '--adapter', adapter, '-o', written(form), ...options)));
            });

            for (const form of Object.keys(forms)) {
                test(`${form}: both runtimes give the same numbers`, async () => {
                    within(limits.runtimes, relativeDistance(await run(node, form), await run(web, form), batch));
                });

                // Low-bit weights lose a part of the adapter when it is folded; how much is said by lorta export.
                if (golden && !(limits.isQuantized && form === 'folded')) {
                    for (const runtime of [node, web]) {
                        test(`${form}: ${runtime} gives the numbers of PyTorch (float64)`, async () => {
                            const { logits: expected } = readSafetensors(golden.file);
                            within(limits.reference[runtime], relativeDistance(positions(await run(runtime, form), golden, expected), expected.data, batch));
                        });
                    }
                }
            }

            if (!golden || limits.isQuantized) {
                test('folded: the adapter moves the numbers as far as ONNX Runtime for .NET says', async () => {
                    const { deployedMaxAbsDiff: moved } = await lorta('verify', file, written('folded'), '--inputs', exported.batch);
                    const seen = distance(await run(node, 'base'), await run(node, 'folded'), batch);
                    within(1e-4, Math.abs(seen - moved) / moved);
                });
            }

            if (!golden) {
                test('folded and kept base compute the same', async () => {
                    within(limits.runtimes, relativeDistance(await run(node, 'folded'), await run(node, 'kept base'), batch));
                });
            }
        });
    }
});

// The positions that a golden holds the logits of: all, or one of each row.
function positions(numbers, { lastIndex }, { shape: [rows, ...rest] }) {
    if (!lastIndex) return numbers;
    const [width, length] = [rest.at(-1), numbers.length / rows / rest.at(-1)];
    const starts = lastIndex.map((position, row) => (row * length + position) * width);
    return Float32Array.from(starts.flatMap(start => [...numbers.subarray(start, start + width)]));
}
