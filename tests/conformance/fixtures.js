import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repository } from './lorta.js';

/** The folder of the fixtures: LORTA_FIXTURES, or shared/fixtures in the nearest folder above; null where there is none. */
const root = process.env.LORTA_FIXTURES || nearest(repository());

/** Why what needs the fixtures is skipped; false where it is not. */
export const missing = root && existsSync(root) ? false
    : 'The fixtures are missing: set LORTA_FIXTURES or put them into ../shared/fixtures beside the repository.';

const path = (...parts) => join(root, ...parts);
const json = file => JSON.parse(readFileSync(file, 'utf8'));

// The batch of a model, and the golden that all its exports share. The other models have these for each task, which an export's name begins with.
const shared = {
    'llama-mini': { batch: 'batch', golden: 'causal-lm.lorta-qkvp' },
    minilm: { batch: 'seqcls', golden: 'seqcls.lorta-qkvp' },
    smollm2: { batch: 'batch', golden: 'causal-lm.lorta' },   // half the matrices, half the time
};

/** Every export among the fixtures, the largest model, smollm2, first: { name, file, sites, batch, golden }; golden is null where none holds for it. */
export const exportedFiles = () => missing ? [] : readdirSync(path('models')).sort().reverse().flatMap(model =>
    Object.entries(json(path('models', model, 'sites.json'))).map(([key, sites]) => exportedFile(model, key, sites)));

function exportedFile(model, key, sites) {
    const [first, last] = [key.split('.').at(0), key.split('.').at(-1)];
    const { batch, golden: name } = shared[model] ?? { batch: first, golden: `${first}.lorta-qkvp` };
    const isExtra = key.startsWith('extra/');   // further models, with their batch beside them
    return {
        name: `${model}/${key}`,
        file: path('models', model, `${key}.onnx`),
        sites,
        batch: isExtra ? path('models', model, `${first}.safetensors`) : path('models', model, 'reference', `${batch}.safetensors`),
        golden: isExtra ? null : golden(`${model}/${name.replace('-qkvp', '')}@${last}`) ?? golden(`${model}/${name}`),
    };
}

function golden(name) {
    const file = path('goldens', name);
    return existsSync(`${file}.json`) ? { name, file: `${file}.safetensors`, ...json(`${file}.json`) } : null;
}

function nearest(folder) {
    const found = join(folder, 'shared', 'fixtures');
    return existsSync(found) ? found : dirname(folder) === folder ? null : nearest(dirname(folder));
}
