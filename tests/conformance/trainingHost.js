import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { repository } from './lorta.js';

const arrays = { float32: Float32Array, int64: BigInt64Array };

/** ONNX Runtime Training in a process of its own, with a folder of artifacts open: see training-host.mjs. */
export class TrainingHost {
    #child = spawn(process.execPath, [repository('tests/conformance/training-host.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
    #answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();

    /** Opens a folder; the names of its graphs' inputs and outputs are in `names`. */
    static async open(folder) {
        const host = new TrainingHost();
        host.names = await host.#ask({ open: folder });
        return host;
    }

    /** Adds the gradients of a batch; loss and scores by name. */
    train = async batch => tensors(await this.#ask({ train: encoded(batch, this.names.trainInputs) }));

    /** Evaluates a batch. */
    evaluate = async batch => tensors(await this.#ask({ eval: encoded(batch, this.names.evalInputs) }));

    /** Moves the parameters. */
    step = () => this.#ask({ step: true });

    /** All parameters one behind the other. */
    parameters = async () => tensor(await this.#ask({ parameters: true })).data;

    /** Ends the process. */
    async close() {
        this.#child.stdin.end();
        await once(this.#child, 'exit');
    }

    async #ask(command) {
        this.#child.stdin.write(`${JSON.stringify(command)}\n`);
        const { value } = await this.#answers.next();
        const { error, ...answer } = value ? JSON.parse(value) : { error: 'the process has ended' };
        if (error) throw new Error(error);
        return answer;
    }
}

const tensor = ({ type, dims, data }) => ({ shape: dims, data: new arrays[type](Uint8Array.from(Buffer.from(data, 'base64')).buffer) });
const tensors = answer => Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, tensor(value)]));
const encoded = (batch, names) => Object.fromEntries(names.map(name => [name, encode(batch[name])]));
const encode = ({ data, shape }) => ({
    type: data instanceof Float32Array ? 'float32' : 'int64',
    dims: shape,
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
});
