import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guarded } from '../../samples/browser/page/engines/stackGuard.js';

test('what lies on the stack is never given to the heap', async () => {
    const freed = [];
    // As Emscripten writes it: the first call replaces the function.
    const factory = async () => {
        const module = { stackAlloc: size => 64 - size };
        module._free = place => (module._free = address => { freed.push(address); })(place);
        return module;
    };

    const module = await guarded(factory)();
    freed.length = 0;
    const onStack = module.stackAlloc(4);
    for (const place of [onStack, 4096, onStack, 8192]) module._free(place);

    assert.deepEqual(freed, [4096, 8192]);
});
