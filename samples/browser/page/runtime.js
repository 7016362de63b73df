// The current ONNX Runtime: on WebGPU where the browser has an adapter for it, else in WebAssembly.

/** Opens it. `wanted` is 'webgpu' or 'wasm'; without it, the best that there is. */
export async function openRuntime(wanted) {
    if (wanted && !['webgpu', 'wasm'].includes(wanted)) throw new Error(`?device=${wanted}: choose webgpu or wasm, or leave it out.`);
    const gpu = wanted === 'wasm' ? null : await navigator.gpu?.requestAdapter();
    if (wanted === 'webgpu' && !gpu) throw new Error('This browser has no adapter for WebGPU: leave ?device=webgpu out.');
    const inWebAssembly = await Runtime.of('ort.wasm.bundle.min.mjs', ['wasm']);
    if (!gpu) return Object.assign(inWebAssembly, { device: 'WebAssembly', deviceDetails: 'one thread', inWebAssembly });
    const onGpu = await Runtime.of('ort.webgpu.bundle.min.mjs', ['webgpu', 'wasm']);
    const deviceDetails = [gpu.info.vendor, gpu.info.architecture].filter(Boolean).join(' ');
    // What computes in double precision, as optimizers do, needs the other build: the one for WebGPU has no such operators.
    return Object.assign(onGpu, { device: 'WebGPU', deviceDetails, inWebAssembly });
}

class Runtime {
    #ort;
    #executionProviders;

    /** Opens a build of the package. */
    static async of(build, executionProviders) {
        const runtime = new Runtime();
        runtime.#ort = await import(`./vendor/onnxruntime-web/${build}`);
        runtime.#ort.env.wasm.numThreads = 1;   // more need cross-origin isolation
        runtime.#executionProviders = executionProviders;
        return runtime;
    }

    /** Opens a model file of the site, with the files that hold its weights if there are any. */
    open(file, weights = []) {
        return this.#ort.InferenceSession.create(file, {
            executionProviders: this.#executionProviders,
            externalData: weights.map(data => ({ path: data.split('/').at(-1), data })),
            logSeverityLevel: 3,
        });
    }

    /** Runs a session. What a batch does not name is an empty key/value cache. Values are { data, shape }, here and in the result. */
    async run(session, values) {
        const rows = values.input_ids?.shape[0];
        const feeds = session.inputMetadata.map(input => {
            const value = values[input.name] ?? emptyCache(input, rows);
            if (!value) throw new Error(`The model's input '${input.name}' is none that this page can give.`);
            return [input.name, new this.#ort.Tensor(input.type, value.data, value.shape)];
        });
        const outputs = await session.run(Object.fromEntries(feeds));
        return Object.fromEntries(Object.entries(outputs).map(([name, { data, dims }]) => [name, { data, shape: dims }]));
    }
}

// [rows, heads, 0, width], where the file states heads and width.
function emptyCache({ type, shape: [, heads, , width] }, rows) {
    const isCache = type === 'float32' && Number.isInteger(heads) && Number.isInteger(width);
    return isCache ? { data: [], shape: [rows, heads, 0, width] } : undefined;
}
