using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Tests;

/// <summary>A run of a few steps on the bundled llama-mini, in a folder of its own.</summary>
internal sealed class TinyRun : IDisposable
{
    private readonly TestFolder _folder = new();

    public TinyRun()
    {
        var entries = File.ReadAllText(Fixtures.Path("data", "own", "ship-log.txt")).Split("\n\n");
        _folder.Write("log.txt", string.Join("\n\n", entries.Take(40)));
        _folder.Write("recipe.yaml", $$"""
            model: {{Exports.Path("llama-mini/ts-sdpa")}}
            tokenizer: {{Fixtures.Path("models", "llama-mini", "hf")}}
            task: causal-lm
            seed: 5
            adapter: { method: lorta, rank: 2, alpha: 8, targets: [q, v, p], layers: [0, 2], dropout: 0.1 }
            data: { train: log.txt, validationFraction: 0.2, maxLength: 24, packing: true }
            train:
              steps: 6
              batchSize: 2
              gradientAccumulation: 2
              optimizer: { lr: 5e-2 }
              schedule: { name: cosine, warmupSteps: 1 }
              evaluateEvery: 2
              saveEvery: 1
              keepBest: loss
            """);
    }

    /// <summary>The adapter's bytes of a run that nothing interrupted.</summary>
    public static byte[] Uninterrupted => Whole.Value;

    private static readonly Lazy<byte[]> Whole = new(() =>
    {
        using var run = new TinyRun();
        run.Train("whole");
        return run.Adapter("whole");
    });

    public string this[params string[] parts] => _folder[parts];

    /// <summary>The recipe with settings of the test's own; the run goes to <c>output</c>.</summary>
    public RunRequest Request(string output, params string[] settings) => Request(output, LortaCatalog.Default, settings);

    /// <inheritdoc cref="Request(string, string[])"/>
    public RunRequest Request(string output, LortaCatalog catalog, params string[] settings) => new()
    {
        Recipe = RecipeFile.Load(_folder["recipe.yaml"], catalog, [.. settings, $"output={_folder[output]}"]),
        Settings = new() { Threads = 1, Catalog = catalog },
    };

    public TrainingReport Train(string output, params string[] settings) => Train(Request(output, settings), Progress.None);

    public static TrainingReport Train(RunRequest request, Progress progress)
    {
        using var engine = new OrtEngine(request.Settings);
        return request.Recipe.Train(engine, request.Options, progress, progress.Stop);
    }

    /// <summary>The bytes that two runs are compared by.</summary>
    public byte[] Adapter(string output) => File.ReadAllBytes(_folder[output, "adapter", "adapter_model.safetensors"]);

    public void Dispose() => _folder.Dispose();
}

/// <summary>A recipe, where it runs, and how it is started.</summary>
internal sealed record RunRequest
{
    public required Recipe Recipe { get; init; }

    public OrtEngineOptions Settings { get; init; } = new();

    public string? RecipePath { get; init; }

    public bool Resume { get; init; }

    public bool Force { get; init; }

    public Func<RunRecord, string>? Page { get; init; }

    public OpenTrainingRuntime? Open { get; init; }

    public RecipeRunOptions Options => new() { RecipePath = RecipePath, Resume = Resume, Force = Force, Page = Page, Open = Open };

    public EvaluationReport Evaluate(EvaluationOptions? options = null)
    {
        using var engine = new OrtEngine(Settings);
        return Recipe.Evaluate(engine, options);
    }
}

/// <summary>Keeps what a run reports, and does something after a step.</summary>
internal sealed class Progress : IProgress<TrainingEvent>, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Action<StepEvent, CancellationTokenSource> _afterStep;

    private Progress(Action<StepEvent, CancellationTokenSource> afterStep) => _afterStep = afterStep;

    public static Progress None => new((_, _) => { });

    public CancellationToken Stop => _stop.Token;

    public List<StepEvent> Steps { get; } = [];

    public List<EvaluationEvent> Evaluations { get; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>Asks for a clean end after a step, as Ctrl-C does.</summary>
    public static Progress StopAfter(long step) => new((record, stop) =>
    {
        if (record.Step == step) stop.Cancel();
    });

    /// <summary>Does something after a step.</summary>
    public static Progress After(long step, Action act) => new((record, _) =>
    {
        if (record.Step == step) act();
    });

    /// <summary>Ends the run in the middle of a step, with nothing saved, as a kill does.</summary>
    public static Progress KillAt(long step) => new((record, _) =>
    {
        if (record.Step == step) throw new KilledException();
    });

    public void Report(TrainingEvent value)
    {
        if (value is EvaluationEvent evaluation) Evaluations.Add(evaluation);
        if (value is NoteEvent note) Notes.Add(note.Text);
        if (value is not StepEvent step) return;
        Steps.Add(step);
        _afterStep(step, _stop);
    }

    public void Dispose() => _stop.Dispose();
}

/// <summary>Stands for a kill.</summary>
internal sealed class KilledException : Exception;
