using System.CommandLine;
using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta inject MODEL -o OUT.onnx [--adapter DIR]</c>.</summary>
internal sealed class InjectVerb
{
    private readonly Argument<string> _model = Arg.Model();
    private readonly Option<string> _output =
        Opt.Output("The model with the adapter as side branches; the adapter goes next to it, as OUT.adapter.");

    private readonly Option<string?> _stored = Opt.Adapter();
    private readonly AdapterArguments _adapter;
    private readonly Option<string?> _factors = Opt.Path("--factors", "Values to start from.", "FILE.safetensors");
    private readonly Option<bool> _required = Opt.Of<bool>(
        "--required-inputs", "Write the factors as plain inputs without defaults: whoever runs the model gives them.");

    private readonly Option<bool> _allow = Opt.AllowBase();
    private readonly Option<long?> _seed = Opt.Seed();
    private readonly Option<bool> _force = Opt.Force();

    private InjectVerb(LortaCatalog catalog) => _adapter = new AdapterArguments(catalog);

    public static Verb Create(LortaCatalog catalog)
    {
        var verb = new InjectVerb(catalog);
        return Verb.Define(
            "inject",
            "Write an adapter into a model as side branches: a stored one (--adapter), or a new one of the given method and size.",
            [
                verb._model, verb._output, verb._stored, .. verb._adapter.Symbols, verb._factors, verb._required, verb._allow, verb._seed,
                verb._force,
            ],
            verb.Run);
    }

    private InjectResult Run(Call call)
    {
        var deployed = OnnxModel.Load(call.Get(_model));
        var injected = call.Get(_stored) is { } path ? OfStored(call, deployed, path) : OfOptions(call, deployed);
        var guard = new OutputGuard(call.Get(_force),
        [
            .. deployed.Files,
            .. new[] { call.Get(_factors) }.OfType<string>(),
            .. call.Get(_stored) is { } read ? StoredAdapters.FilesOf(read, call.Catalog) : [],
        ]);
        if (call.Get(_required)) injected.RequireFactors();
        var file = ExportTarget.FileOf(call.Get(_output), deployed);
        var (plan, folder) = injected.Save(file, guard, call.Catalog);
        return new InjectResult(file, plan.Options.Method, plan.Trainable, [.. plan.Sites.All.Select(site => site.Address)], folder);
    }

    private InjectedModel OfStored(Call call, OnnxModel deployed, string path)
    {
        _adapter.RefuseBeside(call, _stored.Name, _factors, _seed);
        return DeployedInjection.WithInputs(deployed, StoredAdapters.Load(path, call.Catalog), call.Get(_allow), call.Catalog);
    }

    private InjectedModel OfOptions(Call call, OnnxModel deployed)
    {
        var (options, file, seed) = (_adapter.Options(call), call.Get(_factors), call.Get(_seed) ?? 0);
        return file is null
            ? DeployedInjection.WithInputs(deployed, options, seed: seed, catalog: call.Catalog)
            : DeployedInjection.WithInputs(deployed, options, file, seed, call.Catalog);
    }
}

/// <summary>The JSON of <c>lorta inject</c>.</summary>
internal sealed record InjectResult(string Output, string Method, long Trainable, IReadOnlyList<string> Sites, string Adapter);
