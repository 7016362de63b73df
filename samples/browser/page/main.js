// The page: its forms, and what the other modules have to do with them.
import { AdaptedModel } from './adaptedModel.js';
import { adapterZip, assertSameShape, chosenAdapter } from './adapters.js';
import { PortableTrainer } from './engines/portable.js';
import { SessionTrainer } from './engines/trainingSession.js';
import { LossChart } from './lossChart.js';
import { fetchModel } from './model.js';
import { openRuntime } from './runtime.js';
import { tasks } from './tasks.js';
import { train } from './training.js';

const { train: trainForm, compare: compareForm, add: addForm } = document.forms;
const element = id => document.getElementById(id);
const chart = new LossChart(element('chart'));

/** All that the page holds; for whoever looks at it from outside. */
export const app = { adapters: [], runs: [] };

await attempt(open)();

async function open() {
    app.runtime = await openRuntime(new URLSearchParams(location.search).get('device'));
    element('device').textContent = `${app.runtime.device} (${app.runtime.deviceDetails})`;
    app.model = await fetchModel();
    app.adapted = await AdaptedModel.open(app.runtime, app.model);
    app.task = tasks[app.model.task](app.model);
    const { portable, session } = app.model.versions;
    app.engines = {
        portable: { name: `onnxruntime-web ${portable}, portable graphs`, trainer: PortableTrainer, learningRate: 0.02 },
        session: { name: `onnxruntime-web ${session}, TrainingSession`, trainer: SessionTrainer, learningRate: 0.001, isRateFixed: true },
    };
    if (!app.model.hasSession) delete app.engines.session;

    element('model').textContent = app.model.name;
    element('textLabel').textContent = app.task.textLabel;
    trainForm.elements.text.value = app.model.text;
    compareForm.elements.prompt.value = app.task.prompt;
    trainForm.elements.engine.append(...Object.entries(app.engines).map(([key, { name }]) => new Option(name, key)));
    trainForm.elements.steps.value = app.model.learningRates?.length ?? 100;
    showLearningRate();
    addAdapter('none', app.model.first);
    trainForm.addEventListener('submit', attempt(trainAdapter));
    trainForm.elements.engine.addEventListener('change', showLearningRate);
    compareForm.addEventListener('submit', attempt(compare));
    addForm.elements.files.addEventListener('change', attempt(addChosen));
    for (const control of starters()) control.disabled = false;
    say('Ready.');
}

// In JavaScript a TrainingSession has no other rate than its graph's; a recipe gives each step its own.
function showLearningRate() {
    const { engine, learningRate: field } = trainForm.elements;
    const { learningRate, isRateFixed = false } = app.engines[engine.value];
    const isPlanned = app.model.learningRates !== undefined;
    Object.assign(field, { value: isPlanned ? '' : learningRate, placeholder: 'of the recipe', disabled: isPlanned || isRateFixed });
}

// Behind the last step of a recipe its last rate stays, as in a TrainingSession.
function plannedRate(step) {
    const rates = app.model.learningRates;
    return rates?.[Math.min(step, rates.length) - 1];
}

async function trainAdapter() {
    const { elements } = trainForm;
    const { text, engine, stop } = elements;
    const [steps, rows, length, learningRate] = ['steps', 'rows', 'tokens', 'learningRate'].map(name => Number(elements[name].value));
    if (length > app.model.longest) throw new Error(`The model reads ${app.model.longest} tokens at most; a row of ${length} is too long.`);
    const examples = app.task.examples(text.value, length);
    const name = `${engine.value} ${app.runs.length + 1}`;
    const run = { name, losses: [] };
    const rateOf = step => plannedRate(step) ?? learningRate;
    let stopped = false;
    stop.onclick = () => { stopped = true; };

    say('Opening the graphs…');
    const trainer = await app.engines[engine.value].trainer.open(app.runtime, app.model);
    try {
        app.runs.push(run);
        chart.begin(name);
        stop.disabled = false;
        for await (const { step, loss, milliseconds } of train(trainer, app.task, examples, { steps, rows, rateOf })) {
            run.losses.push(loss);
            chart.add(loss);
            say(`Step ${step} of ${steps}: loss ${loss.toFixed(3)}, ${milliseconds.toFixed(0)} ms`);
            if (stopped) break;
        }
        const factors = await trainer.factors(Object.keys(app.model.first.factors));
        addAdapter(name, { config: app.model.first.config, factors });
    } catch (error) {
        await trainer.close().catch(console.error);   // the first error tells more
        throw error;
    } finally {
        stop.disabled = true;
    }
    await trainer.close();
    say(`Trained '${name}' in ${run.losses.length} steps: loss ${run.losses[0].toFixed(3)} → ${run.losses.at(-1).toFixed(3)}.`);
}

// One session answers for all adapters, one after the other.
async function compare() {
    const prompt = compareForm.elements.prompt.value;
    let without;
    for (const { adapter, row } of app.adapters) {
        const { text, logits } = await app.task.answer(batch => app.adapted.logits(batch, adapter.factors), prompt);
        without ??= logits.data;
        row.cells[1].textContent = text;
        row.cells[2].textContent = logits.data.reduce((most, logit, i) => Math.max(most, Math.abs(logit - without[i])), 0).toPrecision(3);
    }
    say('Compared.');
}

async function addChosen() {
    const chosen = [...addForm.elements.files.files];
    addForm.reset();   // or a file that is mended and chosen again were no change
    const adapter = await chosenAdapter(chosen);
    assertSameShape(adapter, app.model.first);
    addAdapter(chosen[0].name.replace(/\.\w+$/, ''), adapter);
    say('Added.');
}

function addAdapter(name, adapter) {
    const row = element('adapters').insertRow();
    for (const text of [name, '', '', '']) row.insertCell().textContent = text;
    app.adapters.push({ name, adapter, row });
    if (adapter === app.model.first) return;
    const button = Object.assign(document.createElement('button'), { textContent: 'Download' });
    button.addEventListener('click', attempt(() => download(`${name}.zip`, adapter)));
    row.cells[3].append(button);
}

async function download(name, adapter) {
    const url = URL.createObjectURL(new Blob([await adapterZip(adapter)], { type: 'application/zip' }));
    Object.assign(document.createElement('a'), { href: url, download: name }).click();
    URL.revokeObjectURL(url);
}

function say(text, isError = false) {
    element('message').textContent = text;
    element('message').classList.toggle('error', isError);
}

// What begins something; off until the page is ready.
function starters() {
    return [...document.querySelectorAll('button:not([type=button]), input[type=file]')];
}

// One thing at a time; what goes wrong is said in the page.
function attempt(action) {
    return async event => {
        event?.preventDefault();
        const enabled = starters().filter(control => !control.disabled);
        for (const control of enabled) control.disabled = true;
        try {
            await action();
        } catch (error) {
            say(error?.message ?? `${error}`, true);
            console.error(error);
        } finally {
            for (const control of enabled) control.disabled = false;
        }
    };
}
