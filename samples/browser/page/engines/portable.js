// The first engine: the portable graphs, as plain inference sessions of the current ONNX Runtime. The page holds every tensor.

export class PortableTrainer {
    #runtime;
    #training;
    #optimizer;
    #state;   // what the optimizer changes, by its names: factors and, for AdamW, their moments
    #frozen;   // factors that it leaves as they are
    #steps = 0;

    /** Opens the graphs; the factors begin as those of the model's first adapter. */
    static async open(runtime, model) {
        const trainer = new PortableTrainer();
        trainer.#runtime = runtime;
        trainer.#frozen = model.frozen;
        [trainer.#training, trainer.#optimizer] = await Promise.all([
            runtime.open('portable/training_model.onnx'),
            runtime.inWebAssembly.open('portable/optimizer_model.onnx'),
        ]);
        const { inputMetadata, outputNames } = trainer.#optimizer;
        trainer.#state = Object.fromEntries(inputMetadata
            .filter(({ name }) => outputNames.includes(`${name}.next`))
            .map(({ name, shape }) => [name, model.first.factors[name] ?? zeros(shape)]));
        return trainer;
    }

    /** One step; the loss before it. */
    async step(batch, learningRate) {
        const { loss, ...gradients } = await this.#runtime.run(this.#training, {
            ...batch,
            ...this.#frozen,
            ...renamed(this.#state, name => `factor.${name}`),
            loss_weight: scalar(1),   // the batch is the whole step
        });
        const next = await this.#runtime.inWebAssembly.run(this.#optimizer, {
            ...this.#state,
            ...renamed(gradients, name => `${name.replace('gradient.', '')}.grad`),
            lr: scalar(learningRate),
            step: { data: BigInt64Array.of(BigInt(++this.#steps)), shape: [] },
        });
        for (const name of Object.keys(this.#state)) this.#state[name] = next[`${name}.next`];
        return loss.data[0];
    }

    /** The factors as they are now. */
    async factors(names) {
        return Object.fromEntries(names.map(name => [name, this.#state[name]]));
    }

    /** Lets the graphs go. */
    async close() {
        await this.#training.release();
        await this.#optimizer.release();
    }
}

const scalar = number => ({ data: Float32Array.of(number), shape: [] });
const zeros = shape => ({ data: new Float32Array(shape.reduce((product, size) => product * size, 1)), shape });
const renamed = (tensors, rename) => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
