// Makes the folder to serve: the page, the packages that it imports, and what `lorta` writes of a model.
//
//   npm run site -- [MODEL] [--task NAME] [--text FILE] [--out DIR] [-- OPTIONS of lorta artifacts: --method, --rank, …]
//
// LORTA names the command or its .dll; without it, the command of this repository is built.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const repository = (...parts) => fileURLToPath(new URL(join('../..', ...parts), import.meta.url));
const here = (...parts) => fileURLToPath(new URL(join('.', ...parts), import.meta.url));

const texts = { 'causal-lm': repository('models/data/ship-log.txt'), classification: repository('models/data/reviews.tsv') };
const modelFiles = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
const changesAfterSteps = 'LRT572';   // a family that does so has no place in this page's engines
const knownInputs = /^(input_ids|attention_mask|token_type_ids|position_ids|labels|loss_weight|scale|past.*|factor\..*|frozen\..*)$/;

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
    const { model, task, text, out, options } = understood(args);
    mkdirSync(dirname(out), { recursive: true });
    const folder = mkdtempSync(`${out}.new-`);
    try {
        cpSync(here('page'), folder, { recursive: true });
        for (const copied of packages) copyPackage(folder, ...copied);
        for (const file of modelFiles) copy(join(model, file), join(folder, 'model', file));
        copy(text, join(folder, 'data.txt'));
        const written = await writeGraphs(await command(), folder, model, ['--task', task, ...options]);
        const versions = { portable: versionOf('onnxruntime-web'), session: versionOf('onnxruntime-web-training') };
        writeFileSync(join(folder, 'site.json'), JSON.stringify({ name: basename(model), task, versions, ...written }, null, 2));
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
    const { task = 'causal-lm', text = texts[task], out = here('site') } = values;
    const model = resolve(positionals[0] ?? repository('models/llama-mini'));
    if (!texts[task]) throw new Error(`--task ${task}: this page knows ${Object.keys(texts).join(' and ')}.`);
    if (positionals.length > 1) throw new Error(`One model, please, not ${positionals.join(', ')}.`);
    for (const file of modelFiles) {
        if (!existsSync(join(model, file))) throw new Error(`${model} has no ${file}, which the page needs beside the model.`);
    }
    if (!existsSync(text)) throw new Error(`--text ${text}: there is no such file.`);
    if (existsSync(out) && !existsSync(join(out, 'site.json'))) {
        throw new Error(`--out ${out}: the folder holds something else than a site.`);
    }
    return { model, task, text, out: resolve(out), options: args.slice(end + 1) };
}

// The training graphs of both engines, the adapter before the first step, and the deployed model with the adapter's factors as inputs.
async function writeGraphs(lorta, folder, model, options) {
    const [portable, session] = ['portable', 'training-session'].map(name => join(folder, name));
    const { inputs } = await lorta('artifacts', model, '-o', portable, '--embed-weights', ...options);
    const unknown = inputs.find(name => !knownInputs.test(name));
    if (unknown) throw new Error(`${model}: the page has nothing to give to the input '${unknown}'.`);
    const [, training] = await Promise.all([
        lorta('inject', model, '-o', join(folder, 'model', 'adapted.onnx'), '--adapter', join(portable, 'initial'), '--required-inputs'),
        lorta('artifacts', model, '-o', session, '--embed-weights', '--dialect', 'ort-training', ...options).catch(error => {
            if (error.code === changesAfterSteps) throw error;
            console.warn(`Without the engine of onnxruntime-web ${versionOf('onnxruntime-web-training')}: ${error.message}`);
        }),
    ]);
    return {
        parameters: inputs.filter(name => name.startsWith('factor.')).map(name => name.slice('factor.'.length)),
        hasSession: training !== undefined,
        weights: readdirSync(join(folder, 'model')).filter(name => name.endsWith('.data')).map(name => `model/${name}`),
    };
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
        return Object.assign(new Error(`${message} ${hint} (${code})`), { code });
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
    return JSON.parse(readFileSync(join(packageFolder(name), 'package.json'), 'utf8')).version;
}
