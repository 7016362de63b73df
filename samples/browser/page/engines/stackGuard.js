// onnxruntime-web 1.19.2 gives a place on the stack back to the heap, whenever all parameters are read or loaded
// (wasm-training-core-impl.ts: stackAlloc, then _free). The heap then holds memory that is not its own, and some later call fails
// ("memory access out of bounds") or waits for ever.

/** The factory of such a module, with one that keeps heap and stack apart. */
export const guarded = factory => async settings => {
    const module = await factory(settings);
    module._free(0);   // replaces itself when it is called first
    const { stackAlloc, _free: free } = module;
    const onStack = new Set();
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
