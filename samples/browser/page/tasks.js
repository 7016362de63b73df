// What a task makes of a text: examples to train on, batches of them, and the model's answer to a prompt.
import { batchOf, int64 } from './batch.js';

/** The tasks by name, each for one model. */
export const tasks = { 'causal-lm': causalLm, classification };

// A text is one stream of tokens, cut into rows of the same length.
function causalLm({ tokens, longest }) {
    return {
        textLabel: 'Texts to learn, with blank lines between them',
        prompt: '2 March.',

        examples(text, length) {
            const stream = text.trim().split(/\n\s*\n/).flatMap(entry => [...tokens.encode(entry), ...tokens.ends.slice(0, 1)]);
            const rows = Array.from({ length: Math.floor(stream.length / length) }, (_, i) => stream.slice(i * length, (i + 1) * length));
            if (rows.length === 0) throw new Error(`The text has ${stream.length} tokens, which is less than one row of ${length}.`);
            return rows;
        },

        batch(rows) {
            const batch = batchOf(rows, tokens.padding);
            return { ...batch, labels: batch.input_ids };
        },

        // The most likely continuation.
        async answer(logitsOf, prompt) {
            const ids = tokens.encode(prompt);
            const begin = ids.length;
            if (begin >= longest) throw new Error(`The prompt has ${begin} tokens; the model reads ${longest}.`);
            let first;
            while (ids.length < Math.min(begin + 30, longest)) {
                const logits = await logitsOf(batchOf([ids], tokens.padding));
                first ??= logits;
                const next = largest(logits.data.subarray(-logits.shape.at(-1)));
                if (tokens.ends.includes(next)) break;
                ids.push(next);
            }
            return { text: tokens.decode(ids.slice(begin)), logits: first };
        },
    };
}

// A text has a line for each example: the number of its class, a tab, the sentence. A first line without a number is a heading.
function classification({ tokens, classes, longest }) {
    // The last token marks the end.
    const encode = (text, length) => {
        const ids = tokens.encode(text);
        return ids.length > length ? [...ids.slice(0, length - 1), ids.at(-1)] : ids;
    };
    return {
        textLabel: 'Lines to learn: the number of the class, a tab, the sentence',
        prompt: 'The soup was cold and the waiter rude.',

        examples(text, length) {
            const lines = text.trim().split('\n').map((line, i) => ({ number: i + 1, fields: line.split('\t') }));
            if (!isNumber(lines[0].fields[0])) lines.shift();
            if (lines.length === 0) throw new Error('The text has no line to learn from.');
            return lines.map(({ number, fields: [label, sentence] }) => {
                if (!sentence || !isNumber(label) || Number(label) >= classes.length) {
                    throw new Error(`Line ${number}: expected a class from 0 to ${classes.length - 1}, a tab and a sentence.`);
                }
                return { label: Number(label), ids: encode(sentence, length) };
            });
        },

        batch: examples => ({
            ...batchOf(examples.map(({ ids }) => ids), tokens.padding),
            labels: int64(examples.map(({ label }) => label), [examples.length]),
        }),

        // The probability of each class.
        async answer(logitsOf, prompt) {
            const logits = await logitsOf(batchOf([encode(prompt, longest)], tokens.padding));
            const powers = Array.from(logits.data, Math.exp);
            const sum = powers.reduce((a, b) => a + b);
            return { text: classes.map((name, i) => `${name}: ${(powers[i] / sum).toFixed(3)}`).join(', '), logits };
        },
    };
}

const isNumber = text => /^\d+$/.test(text);
const largest = numbers => numbers.reduce((best, number, i) => number > numbers[best] ? i : best, 0);
