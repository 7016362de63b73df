/** The deployed model in one session whose factors are plain inputs: to switch adapters is to give other numbers. */
export class AdaptedModel {
    #runtime;
    #session;
    #frozen;

    /** Opens it. */
    static async open(runtime, { weights, frozen }) {
        const model = new AdaptedModel();
        model.#runtime = runtime;
        model.#frozen = frozen;
        model.#session = await runtime.open('model/adapted.onnx', weights);
        return model;
    }

    /** The logits of a batch with an adapter's factors. Those of the first adapter, before any step, change nothing. */
    async logits(batch, factors) {
        const inputs = Object.fromEntries(Object.entries(factors).map(([name, tensor]) => [`factor.${name}`, tensor]));
        return (await this.#runtime.run(this.#session, { ...batch, ...inputs, ...this.#frozen })).logits;
    }
}
