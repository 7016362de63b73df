// Makes the folder to serve: the page, the packages that it imports, and what `lorta` writes of a model.
//
//   npm run site -- [MODEL] [--task NAME] [--text FILE] [--out DIR] [-- OPTIONS of lorta artifacts: --method, --recipe, …]
//
// LORTA names the command or its .dll; without it, the command of this repository is built.
import { execFile } from 'node:child_process';
import {
    cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { batchOf } from './page/batch.js';

const repository = (...parts) => fileURLToPath(new URL(join('../..', ...parts), import.meta.url));
const here = (...parts) => fileURLToPath(new URL(join('.', ...parts), import.meta.url));

const texts = { 'causal-lm': repository('models/data/ship-log.txt'), classification: repository('models/data/reviews.tsv') };
const modelFiles = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
const tokenInputs = Object.keys(batchOf([[0]], 0));
const otherTrainingInputs = ['labels', 'loss_weight', 'scale'];   // and the factors

// What the page imports: package, files, folder below vendor/.
const packages = [
    ['onnxruntime-web', 'dist', [
        'ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.wasm', 'ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm',
    ]],
    ['onnxruntime-web-training', 'dist', [
        'ort.training.wasm.min.mjs', 'ort-training-wasm-simd-threaded.mjs', 'ort-training-wasm-simd-threaded.wasm',
    ]],
    ['@huggingface/tokenizers', 'dist', ['tokenizers.min.mjs'], 'tokenizers'],
    ['fflate', 'esm', ['browser.js']],
    ['uplot', 'dist', ['uPlot.esm.js', 'uPlot.min.css']],
];

try {
    const site = await makeSite(process.argv.slice(2));
    console.log(`${site} is complete: \`npm start\` serves it.`);
} catch (error) {
    console.error(`No site was made. ${error.message}`);
    process.exitCode = 1;
}

async function makeSite(args) {
    const { model, text, out, options } = understood(args);
    mkdirSync(dirname(out), { recursive: true });
    const folder = mkdtempSync(`${out}.new-`);
    try {
        cpSync(here('page'), folder, { recursive: true });
        for (const copied of packages) copyPackage(folder, ...copied);
        for (const file of modelFiles) copy(join(model, file), join(folder, 'model', file));
        const written = await writeGraphs(await command(), folder, model, options);
        copy(text ?? texts[written.task], join(folder, 'data.txt'));
        const versions = { portable: versionOf('onnxruntime-web'), session: versionOf('onnxruntime-web-training') };
        writeFileSync(join(folder, 'site.json'), JSON.stringify({ name: basename(model), versions, ...written }, null, 2));
        rmSync(out, { recursive: true, force: true });
        renameSync(folder, out);
        return out;
    } catch (error) {
        rmSync(folder, { recursive: true, force: true });
        throw error;
    }
}

function understood(args) {
    const end = args.indexOf('--') < 0 ? args.length : args.indexOf('--');
    const { values, positionals } = parseArgs({
        args: args.slice(0, end),
        options: { task: { type: 'string' }, text: { type: 'string' }, out: { type: 'string' } },
        allowPositionals: true,
    });
    const { text, out = here('site') } = values;
    const model = resolve(positionals[0] ?? repository('models/llama-mini'));
    const options = args.slice(end + 1);
    const hasRecipe = options.some(option => /^--recipe(=|$)/.test(option));   // which states the task
    const task = values.task ?? (hasRecipe ? undefined : 'causal-lm');
    if (task) assertKnown(task);
    if (positionals.length > 1) throw new Error(`One model, please, not ${positionals.join(', ')}.`);
    for (const file of modelFiles) {
        if (!existsSync(join(model, file))) throw new Error(`${model} has no ${file}, which the page needs beside the model.`);
    }
    if (text && !isFile(text)) throw new Error(`--text ${text}: there is no such file.`);
    if (existsSync(out) && !isSite(out)) throw new Error(`--out ${out}: something else than a site is there.`);
    return { model, text, out: resolve(out), options: task ? ['--task', task, ...options] : options };
}

function assertKnown(task) {
    if (!Object.hasOwn(texts, task)) throw new Error(`The task ${task}: this page knows ${Object.keys(texts).join(' and ')}.`);
}

// An empty folder may become one.
function isSite(path) {
    return isFile(join(path, 'site.json')) || (statSync(path).isDirectory() && readdirSync(path).length === 0);
}

function isFile(path) {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

// The training graphs of both engines, the adapter before the first step, and the deployed model with the adapter's factors as inputs.
async function writeGraphs(lorta, folder, model, options) {
    const [portable, session] = ['portable', 'training-session'].map(name => join(folder, name));
    const deployed = await lorta('inspect', model);
    assertUsable(model, deployed);
    const { inputs, outputs } = await lorta('artifacts', model, '-o', portable, '--embed-weights', ...options);
    const factors = inputs.filter(name => name.startsWith('factor.')).map(name => name.slice('factor.'.length));
    const known = [...deployed.inputs.map(({ name }) => name), ...otherTrainingInputs, ...factors.map(name => `factor.${name}`)];
    const unknown = inputs.find(name => !known.includes(name));
    if (unknown?.startsWith('param.')) {
        throw new Error(`The page trains factors alone, not the model's own '${unknown.slice('param.'.length)}'.`);
    }
    if (unknown) throw new Error(`${model}: the page has nothing to give to the training graph's input '${unknown}'.`);
    const { task } = readJson(join(portable, 'initial', 'adapter_config.json'));
    assertKnown(task);
    const learningRates = plannedRates(join(portable, 'schedule.json'));
    const [, training] = await all([
        lorta('inject', model, '-o', join(folder, 'model', 'adapted.onnx'), '--adapter', join(portable, 'initial'), '--required-inputs'),
        lorta('artifacts', model, '-o', session, '--embed-weights', '--dialect', 'ort-training', ...options).catch(error => {
            console.warn(`Without the engine of onnxruntime-web ${versionOf('onnxruntime-web-training')}: ${error.message}`);
        }),
    ]);
    return {
        task,
        positions: deployed.positions,
        learningRates,
        parameters: factors.filter(name => outputs.includes(`gradient.${name}`)),
        hasSession: training !== undefined,
        weights: readdirSync(join(folder, 'model')).filter(name => name.endsWith('.data')).map(name => `model/${name}`),
    };
}

// The page gives tokens, what goes with them, and empty caches (page/runtime.js); it reads logits.
function assertUsable(model, { inputs, outputs }) {
    const unknown = inputs.find(input => tokenInputs.includes(input.name) ? input.type !== 'int64' : !isCache(input));
    if (unknown) {
        const { name, type, shape } = unknown;
        throw new Error(`${model}: the page has nothing to give to the input '${name}' (${type}, [${shape}]).`);
    }
    const logits = outputs.find(({ name }) => name === 'logits');
    const names = outputs.map(({ name }) => name).join(', ');
    if (!logits) throw new Error(`${model} has no output 'logits', which the page reads; its outputs are ${names}.`);
    if (logits.type !== 'float') throw new Error(`${model}: the page reads logits in float32; these are ${logits.type}.`);
}

function isCache({ type, shape }) {
    return type === 'float' && shape?.length === 4 && Number.isInteger(shape[1]) && Number.isInteger(shape[3]);
}

// The rates of a recipe's steps; undefined without a recipe.
function plannedRates(file) {
    if (!existsSync(file)) return undefined;
    const { learningRates, gradientAccumulation } = readJson(file);
    if (gradientAccumulation === 1) return learningRates;
    throw new Error(`The recipe takes ${gradientAccumulation} batches for a step, the page one: leave gradientAccumulation out.`);
}

// Waits for all, because the folder of one that writes cannot be removed; then the first failure counts.
async function all(promises) {
    const settled = await Promise.allSettled(promises);
    const failed = settled.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
    return settled.map(({ value }) => value);
}

// A function that runs lorta and gives the JSON that it writes.
async function command() {
    const named = process.env.LORTA ?? await build();
    const [program, first] = named.endsWith('.dll') ? ['dotnet', [named]] : [named, []];
    return async (...args) => JSON.parse(await outputOf(program, ...first, ...args, '--json', '--quiet'));
}

async function build() {
    await outputOf('dotnet', 'build', repository('cli'), '-c', 'Release', '-v', 'q');
    return repository('artifacts/bin/LoRTA.Onnx.Cli/release/LoRTA.Onnx.Cli.dll');
}

async function outputOf(program, ...args) {
    try {
        return (await promisify(execFile)(program, args, { maxBuffer: 2 ** 26 })).stdout;
    } catch (error) {
        throw failure(error.stderr?.trim() || error.stdout?.trim() || error.message);
    }
}

// With --json, lorta's failures are JSON too.
function failure(said) {
    try {
        const { code, message, hint } = JSON.parse(said).error;
        return new Error(`${message} ${hint} (${code})`);
    } catch {
        return new Error(said);
    }
}

function copyPackage(folder, name, subfolder, files, as = name) {
    for (const file of files) copy(join(packageFolder(name), subfolder, file), join(folder, 'vendor', as, file));
}

function copy(from, to) {
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
}

// Packages forbid to resolve what they do not export, but the folder that they are in is known.
function packageFolder(name) {
    const folder = createRequire(import.meta.url).resolve.paths(name).map(path => join(path, name)).find(path => existsSync(path));
    if (!folder) throw new Error(`The package ${name} is missing: run \`npm ci\` first.`);
    return folder;
}

function versionOf(name) {
    return readJson(join(packageFolder(name), 'package.json')).version;
}

function readJson(file) {
    return JSON.parse(readFileSync(file, 'utf8'));
}
