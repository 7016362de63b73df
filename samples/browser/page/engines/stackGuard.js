// onnxruntime-web 1.19.2 gives a place on the stack back to the heap whenever it reads or loads the parameters in one buffer
// (wasm-training-core-impl.ts: stackAlloc, then _free). The heap then holds memory that is not its own, and some later call fails
// ("memory access out of bounds") or waits for ever.

/** Wraps the factory of such a module, so that no place on the stack is given to the heap. */
export const guarded = factory => async settings => {
    const module = await factory(settings);
    module._free(0);   // the first call puts another function in its own place, and would remove ours
    const { stackAlloc, _free: free } = module;
    const onStack = new Set();   // for good: no place on the heap is one of them
    module.stackAlloc = size => {
        const place = stackAlloc(size);
        onStack.add(place);
        return place;
    };
    module._free = place => {
        if (!onStack.has(place)) free(place);
    };
    return module;
};
