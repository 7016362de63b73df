import uPlot from 'uplot';

const colors = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf'];

/** The losses of all runs over their steps. */
export class LossChart {
    #element;
    #runs = [];
    #plot;

    constructor(element) {
        this.#element = element;
    }

    /** Begins a line. */
    begin(name) {
        this.#runs.push({ name, losses: [] });
        this.#plot?.destroy();
        this.#plot = new uPlot({
            width: this.#element.clientWidth,
            height: 260,
            scales: { x: { time: false } },
            axes: [{ label: 'step' }, { label: 'loss' }],
            series: [{ label: 'step' }, ...this.#runs.map((run, i) => ({ label: run.name, stroke: colors[i % colors.length], width: 2 }))],
        }, this.#data(), this.#element);
    }

    /** Continues the last line. */
    add(loss) {
        this.#runs.at(-1).losses.push(loss);
        this.#plot.setData(this.#data());
    }

    #data() {
        const steps = Math.max(...this.#runs.map(({ losses }) => losses.length));
        const numbers = Array.from({ length: steps }, (_, i) => i);
        return [numbers.map(i => i + 1), ...this.#runs.map(({ losses }) => numbers.map(i => losses[i] ?? null))];
    }
}
