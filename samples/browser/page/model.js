// What the site serves of the model: its names, its tokenizer, and the adapter that training begins with.
import { Tokenizer } from '@huggingface/tokenizers';
import { readSafetensors } from './safetensors.js';

/** Fetches it. */
export async function fetchModel() {
    const [site, config, tokenizer, tokenizerConfig, adapterConfig, text, initial] = await Promise.all([
        fetched('site.json', 'json'),
        ...['config.json', 'tokenizer.json', 'tokenizer_config.json'].map(file => fetched(`model/${file}`, 'json')),
        fetched('portable/initial/adapter_config.json', 'json'),
        fetched('data.txt', 'text'),
        fetched('portable/initial.safetensors', 'arrayBuffer'),
    ]);
    const inputs = readSafetensors(new Uint8Array(initial));
    const factors = Object.fromEntries(site.parameters.map(name => [name, inputs[`factor.${name}`]]));
    return {
        ...site,
        text,
        first: { config: adapterConfig, factors },
        // By input. Adapters leave them out: they are drawn from the seed in the adapter's configuration.
        frozen: Object.fromEntries(Object.entries(inputs).filter(([input]) => !(input.replace('factor.', '') in factors))),
        parameters: site.parameters.map(name => ({ name, shape: factors[name].shape })),
        tokens: new Tokens(new Tokenizer(tokenizer, tokenizerConfig), config),
        longest: site.positions ?? Infinity,
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
