// What the site serves of the model: its names, its tokenizer, and the adapter that training begins with.
import { Tokenizer } from '@huggingface/tokenizers';
import { adapterOf } from './adapters.js';

/** Fetches it. */
export async function fetchModel() {
    const [site, config, tokenizer, tokenizerConfig, text, ...adapter] = await Promise.all([
        ...['site.json', 'model/config.json', 'model/tokenizer.json', 'model/tokenizer_config.json'].map(file => fetched(file, 'json')),
        fetched('data.txt', 'text'),
        ...['adapter_config.json', 'adapter_model.safetensors'].map(async file =>
            [file, new Uint8Array(await fetched(`portable/initial/${file}`, 'arrayBuffer'))]),
    ]);
    const first = adapterOf(Object.fromEntries(adapter));
    return {
        ...site,
        text,
        first,
        parameters: site.parameters.map(name => ({ name, shape: first.factors[name].shape })),
        tokens: new Tokens(new Tokenizer(tokenizer, tokenizerConfig), config),
        longest: config.max_position_embeddings ?? Infinity,
        classes: Object.values(config.id2label ?? { 0: '0', 1: '1' }),   // two are Hugging Face's default
    };
}

class Tokens {
    #tokenizer;

    constructor(tokenizer, config) {
        this.#tokenizer = tokenizer;
        this.padding = config.pad_token_id ?? 0;
        this.ends = [config.eos_token_id ?? []].flat();   // some models have several
    }

    /** The ids of a text, with what the tokenizer puts around it. */
    encode = text => this.#tokenizer.encode(text).ids;

    /** The text of ids. */
    decode = ids => this.#tokenizer.decode(ids, { skip_special_tokens: true });
}

async function fetched(file, as) {
    const response = await fetch(file);
    if (!response.ok) throw new Error(`The site has no ${file}: make it again with \`npm run site\`.`);
    return response[as]();
}
