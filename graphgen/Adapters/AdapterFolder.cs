using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>An adapter on disk: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Config">What the factors mean.</param>
/// <param name="Tensors">Factors by name; the model's own trained parameters as <c>param.&lt;name&gt;</c>.</param>
public sealed record AdapterFolder(string Path, AdapterConfig Config, IReadOnlyDictionary<string, Tensor> Tensors)
{
    internal const string ParameterPrefix = "param.";
    internal const string ConfigFile = "adapter_config.json";
    internal const string TensorFile = "adapter_model.safetensors";

    /// <summary>Opens an adapter folder.</summary>
    /// <exception cref="LortaException">LRT101, LRT105, LRT313: missing or damaged.</exception>
    public static AdapterFolder Load(string folder)
    {
        var config = System.IO.Path.Combine(folder, ConfigFile);
        if (!File.Exists(config)) throw FileErrors.NotFound(config);
        return new AdapterFolder(folder, AdapterConfig.Parse(config, File.ReadAllText(config)), Safetensors.Load(System.IO.Path.Combine(folder, TensorFile)).Tensors);
    }

    /// <summary>Writes the folder, whole or not at all.</summary>
    /// <exception cref="LortaException">LRT104: cannot be written; LRT107: the folder holds other files.</exception>
    public void Save() => Save(beside: () => { });

    /// <summary>Writes the folder and something that belongs to it: neither, where either fails.</summary>
    internal void Save(Action beside) => AtomicFolder.Write(Path, [ConfigFile, TensorFile], folder =>
    {
        AtomicFile.WriteText(System.IO.Path.Combine(folder, ConfigFile), Config.ToJson());
        Safetensors.Save(System.IO.Path.Combine(folder, TensorFile), Tensors);
        beside();
    });

    /// <summary>The values of a plan's factors, checked for presence and shape.</summary>
    /// <exception cref="LortaException">LRT308 wrong shape; LRT309 missing.</exception>
    internal IReadOnlyDictionary<string, Tensor> FactorsOf(AdapterPlan plan) =>
        plan.Factors.ToDictionary(factor => factor.Name, factor => Checked(System.IO.Path.Combine(Path, TensorFile), factor, Tensors.GetValueOrDefault(factor.Name)), StringComparer.Ordinal);

    /// <summary>The model's own parameters that were trained along, by their name in the model.</summary>
    internal IReadOnlyDictionary<string, Tensor> Parameters => Tensors
        .Where(pair => pair.Key.StartsWith(ParameterPrefix, StringComparison.Ordinal))
        .ToDictionary(pair => pair.Key[ParameterPrefix.Length..], pair => pair.Value, StringComparer.Ordinal);

    internal static Tensor Checked(string file, Factor factor, Tensor? tensor)
    {
        if (tensor is null) throw AdapterErrors.FactorMissing(file, factor.Name);
        return tensor.Dims.SequenceEqual(factor.Dims)
            ? tensor.Type == ElementType.Float ? tensor : Tensor.Of<float>([.. tensor.Dims], tensor.ToFloats())
            : throw AdapterErrors.FactorShape(file, factor.Name, $"[{string.Join(", ", factor.Dims)}]", $"[{string.Join(", ", tensor.Dims)}]");
    }
}
