using System.CommandLine;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Ir;
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
    private readonly Option<string?> _factors = Opt.Of<string?>("--factors", "Values to start from.", "FILE.safetensors");
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
        var target = ExportTarget.FileOf(call.Get(_output), deployed);
        var folder = $"{Path.ChangeExtension(target, null)}.adapter";
        var (injected, written) = call.Get(_stored) is { } path ? OfStored(call, deployed, path) : OfOptions(call, deployed);
        var guard = new OutputGuard(call.Get(_force),
        [
            .. deployed.Files,
            .. new[] { call.Get(_factors) }.OfType<string>(),
            .. call.Get(_stored) is { } read ? StoredAdapters.FilesOf(read, call.Catalog) : [],
        ]);
        guard.CheckModel(target);
        guard.CheckFolder(folder, Adapter.IsFile);
        if (call.Get(_required)) RequireFactors(injected);
        var plan = AdapterPlan.Of(written.Config.Base.Architecture!, written.Config.AdapterOptions, call.Catalog);   // of sites
        (written with { Path = folder, Folds = FoldGraph.IsPossible(plan) }).SaveWith(injected, target);
        return new InjectResult(plan.Options.Method, plan.Trainable, [.. plan.Sites.All.Select(site => site.Address)], folder);
    }

    private (OnnxModel Injected, Adapter Written) OfStored(Call call, OnnxModel deployed, string path)
    {
        var others = _adapter.Symbols.Append(_factors).Append(_seed).OfType<Option>();
        if (others.FirstOrDefault(call.Has) is { } other) throw NotBesideAdapter(other.Name);
        var loaded = StoredAdapters.Load(path, call.Catalog);
        return (DeployedInjection.WithInputs(deployed, loaded, call.Get(_allow), call.Catalog), loaded);
    }

    private (OnnxModel Injected, Adapter Written) OfOptions(Call call, OnnxModel deployed)
    {
        var (options, given) = (_adapter.Options(call), Values(call.Get(_factors)));
        if (call.Get(_factors) is { } read) FactorFile.Check(read, options);
        var made = DeployedInjection.Apply(deployed, options, given, call.Get(_seed) ?? 0, call.Catalog);
        if (call.Get(_factors) is { } file) CheckNames(file, given.Keys, made.Adapter);
        return made;
    }

    // The strength keeps its default, as it is the adapter's own; so do random factors that are not trained, which no adapter file holds.
    private static void RequireFactors(OnnxModel model)
    {
        foreach (var input in model.Graph.Inputs)
            if (TensorName.Parse(input.Name).Kind == TensorKind.Factor) input.Constant = null;
    }

    private static LortaException NotBesideAdapter(string option) =>
        new("LRT808", $"{option}: cannot be combined with --adapter, which states it.", "Give one of the two.") { IsUsage = true };

    // What an adapter's file holds must find its place. Goldens hold gradients and logits as well.
    private static void CheckNames(string file, IEnumerable<string> given, Adapter adapter)
    {
        if (Safetensors.Load(file).Tensors.Keys.Any(key => TensorName.Parse(key).Kind == TensorKind.Factor)) return;
        var others = given.Where(name => !adapter.Tensors.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();
        if (others.Count > 0) throw AdapterErrors.FactorsWithoutPlace(file, others);
    }

    // Keys as in adapter files, or with the prefixes of goldens.
    internal static IReadOnlyDictionary<string, OnnxTensor> Values(string? file)
    {
        var values = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        if (file is null) return values;
        foreach (var (key, tensor) in Safetensors.Load(file).Tensors)
            values[TensorName.Parse(key) is { Kind: TensorKind.Factor or TensorKind.Frozen } name ? name.Name : key] = tensor;
        return values;
    }
}

/// <summary>The JSON of <c>lorta inject</c>.</summary>
internal sealed record InjectResult(string Method, long Trainable, IReadOnlyList<string> Sites, string Adapter);
