using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta inject MODEL -o OUT.onnx</c>.</summary>
internal static class InjectVerb
{
    public static Verb Create()
    {
        var model = Arg.Model();
        var output = Opt.Output("The model with the adapter as side branches; the adapter goes beside it, as OUT.adapter.");
        var force = Opt.Force();
        var seed = Opt.Seed();
        var adapter = new AdapterArguments();
        var factors = Opt.Of<string?>("--factors", "Values to start from.", "FILE.safetensors");
        return Verb.Define(
            "inject",
            "Write an adapter into a model as side branches.",
            [model, output, .. adapter.Symbols, factors, seed, force],
            call =>
            {
                var deployed = OnnxModel.Load(call.Get(model));
                var target = ExportTarget.FileOf(call.Get(output), deployed);
                var folder = $"{Path.ChangeExtension(target, null)}.adapter";
                var given = Values(call.Get(factors));
                var (injected, written) = DeployedInjection.Apply(
                    deployed, adapter.Options(call), given, call.Get(seed) ?? 0, call.Families);
                if (call.Get(factors) is { } file) CheckNames(file, given.Keys, written);
                var guard = new OutputGuard(call.Get(force), [.. deployed.Files, .. new[] { call.Get(factors) }.OfType<string>()]);
                guard.CheckModel(target);
                guard.CheckFolder(folder, Adapter.IsFile);
                (written with { Path = folder }).SaveWith(injected, target);
                var plan = AdapterPlan.Of(written.Config.Base.Architecture!, written.Config.AdapterOptions, call.Families);   // of sites
                return new InjectResult(plan.Options.Method, plan.Trainable, [.. plan.Sites.All.Select(site => site.Address)], folder);
            });
    }

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
