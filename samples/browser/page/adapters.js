// Adapters as this project's folders: adapter_config.json and adapter_model.safetensors. In the page: { config, factors }.
import { unzipSync, zipSync } from 'fflate';
import { readSafetensors, writeSafetensors } from './safetensors.js';

const [configFile, tensorFile] = ['adapter_config.json', 'adapter_model.safetensors'];

/** An adapter of its two files, bytes by name. */
export function adapterOf(files) {
    for (const name of [configFile, tensorFile]) if (!files[name]) throw new Error(`An adapter has two files; ${name} is missing.`);
    return { config: parsed(files[configFile]), factors: readSafetensors(files[tensorFile]) };
}

/** An adapter of the files that a visitor has chosen: the two, or a zip of them. */
export async function chosenAdapter(chosen) {
    const files = await Promise.all([...chosen].map(async file => [file.name, new Uint8Array(await file.arrayBuffer())]));
    const unpacked = files.flatMap(([name, bytes]) => name.endsWith('.zip') ? Object.entries(unzipSync(bytes)) : [[name, bytes]]);
    return adapterOf(Object.fromEntries(unpacked.map(([path, bytes]) => [path.split('/').at(-1), bytes])));
}

/** The zip that `lorta` takes once it is unpacked. */
export async function adapterZip({ config, factors }) {
    const tensors = writeSafetensors(factors);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', tensors));
    const sha256 = Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
    const json = JSON.stringify({ ...config, sha256 }, null, 2);
    return zipSync({ [configFile]: new TextEncoder().encode(json), [tensorFile]: tensors }, { level: 0 });
}

/** Throws unless an adapter can take another one's place in a model whose factors are inputs. */
export function assertSameShape(adapter, other) {
    for (const field of ['method', 'scale', 'targets', 'layers', 'options', 'sites', 'frozen']) same(field, config => config[field]);
    same('trainables', ({ trainables }) => trainables ?? []);
    same('base.architecture', config => config.base?.architecture);
    for (const [name, { shape }] of Object.entries(other.factors)) {
        const found = adapter.factors[name]?.shape;
        if (!isSame(found, shape)) throw new Error(`This adapter does not fit: its '${name}' is [${found ?? ''}], here it is [${shape}].`);
    }

    function same(field, of) {
        const [found, wanted] = [adapter, other].map(({ config }) => of(config));
        if (isSame(found, wanted)) return;
        throw new Error(`This adapter does not fit: its ${field} is ${stated(found)}, here it is ${stated(wanted)}.`);
    }
}

function parsed(bytes) {
    try {
        return JSON.parse(new TextDecoder().decode(bytes));
    } catch (error) {
        throw new Error(`${configFile} is not the configuration of an adapter.`, { cause: error });
    }
}

const stated = value => JSON.stringify(value) ?? 'not stated';
const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);
