// The second engine: a TrainingSession of onnxruntime-web 1.19.2, the last release with training. It keeps factors, gradients and moments,
// always computes in WebAssembly, and takes its learning rate from the graph of the optimizer.

const files = new URL('../vendor/onnxruntime-web-training/', import.meta.url);

export class SessionTrainer {
    #ort;
    #session;
    #parameters;   // in the order of the training graph's inputs: { name, shape }

    /** Opens the graphs and the checkpoint of the model's first adapter. */
    static async open(_, model) {
        const trainer = new SessionTrainer();
        trainer.#ort = await import(new URL('ort.training.wasm.min.mjs', files));
        trainer.#ort.env.wasm.numThreads = 1;
        trainer.#ort.env.wasm.wasmPaths = {
            mjs: new URL('trainingModule.js', import.meta.url),
            wasm: new URL('ort-training-wasm-simd-threaded.wasm', files),
        };
        trainer.#session = await explained(trainer.#ort.TrainingSession.create({
            checkpointState: 'training-session/checkpoint',
            trainModel: 'training-session/training_model.onnx',
            optimizerModel: 'training-session/optimizer_model.onnx',
        }, { logSeverityLevel: 3 }));
        trainer.#parameters = model.parameters;
        return trainer;
    }

    /** One step; the loss before it. */
    async step(batch) {
        // Feeds go by position.
        const tensor = ({ data, shape }) => new this.#ort.Tensor('int64', data, shape);
        const feeds = this.#session.trainingInputNames.map(name => [name, tensor(batch[name])]);
        const { loss } = await explained(this.#session.runTrainStep(Object.fromEntries(feeds)));
        await explained(this.#session.runOptimizerStep());
        await explained(this.#session.lazyResetGrad());
        return loss.data[0];
    }

    /** The factors as they are now. */
    async factors() {
        const { data } = await explained(this.#session.getContiguousParameters(true));
        let start = 0;
        return Object.fromEntries(this.#parameters.map(({ name, shape }) => {
            const count = shape.reduce((product, size) => product * size, 1);
            return [name, { data: data.slice(start, start += count), shape }];
        }));
    }

    /** Lets the session go. */
    async close() {
        await explained(this.#session.release());
    }
}

// Errors of its C++ part arrive as a bare number.
async function explained(promise) {
    try {
        return await promise;
    } catch (error) {
        throw typeof error === 'number' ? new Error(`The TrainingSession ended with error ${error}. Reload the page to go on.`) : error;
    }
}
