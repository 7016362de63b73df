// The loop that both engines share.

/** Trains step by step: { step, loss, milliseconds }. Every run draws the same batches. */
export async function* train(trainer, task, examples, { steps, rows, rateOf }) {
    const batches = endless(examples, rows);
    for (let step = 1; step <= steps; step++) {
        const batch = task.batch(batches.next().value);
        const start = performance.now();
        const loss = await trainer.step(batch, rateOf(step));
        if (!Number.isFinite(loss)) throw new Error(`Step ${step}: the loss is ${loss}. A smaller learning rate may help.`);
        yield { step, loss, milliseconds: performance.now() - start };
        await new Promise(resume => setTimeout(resume));   // lets the browser draw
    }
}

// Epoch after epoch, each in another order.
function* endless(examples, rows) {
    const random = uniform();
    for (;;) {
        const shuffled = examples.map(example => [random(), example]).sort(([a], [b]) => a - b).map(([, example]) => example);
        for (let i = 0; i < shuffled.length; i += rows) yield shuffled.slice(i, i + rows);
    }
}

// splitmix32
function uniform() {
    let state = 0;
    return () => {
        state = (state + 0x9e3779b9) >>> 0;
        let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
        z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
        return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
    };
}
