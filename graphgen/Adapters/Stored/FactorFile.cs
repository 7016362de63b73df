using System.Globalization;
using System.Text.Json;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.GraphGen.Adapters.Stored;

/// <summary>A file of factors, and what it or the configuration beside it says of them.</summary>
internal static class FactorFile
{
    private const string Rank = "rank";
    private const string Alpha = "alpha";

    /// <summary>Values to start from, by the name of their factor.</summary>
    /// <param name="file">A safetensors file: keys as in adapter files, or with the prefixes of goldens.</param>
    /// <exception cref="LortaException">LRT101, LRT105: missing or damaged.</exception>
    public static IReadOnlyDictionary<string, OnnxTensor> Read(string file)
    {
        var values = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        foreach (var (key, tensor) in Safetensors.Load(file).Tensors)
            values[TensorName.Parse(key) is { Kind: TensorKind.Factor or TensorKind.Frozen } name ? name.Name : key] = tensor;
        return values;
    }

    /// <summary>Refuses an adapter's file that holds more than the adapter has a place for. Goldens hold gradients and logits as
    /// well.</summary>
    /// <param name="file">The file.</param>
    /// <param name="values">What was read of it.</param>
    /// <param name="adapter">The adapter that was made with these values.</param>
    /// <exception cref="LortaException">LRT323: names what has no place.</exception>
    public static void CheckPlaces(string file, IReadOnlyDictionary<string, OnnxTensor> values, Adapter adapter)
    {
        if (Safetensors.Load(file).Tensors.Keys.Any(key => TensorName.Parse(key).Kind == TensorKind.Factor)) return;
        var others = values.Keys.Where(name => !adapter.Tensors.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();
        if (others.Count > 0) throw AdapterErrors.FactorsWithoutPlace(file, others);
    }

    /// <summary>Refuses options of another rank or alpha than the factors were made for.</summary>
    /// <param name="file">A safetensors file; of an adapter's file the configuration beside it counts, of others their own
    /// metadata.</param>
    /// <param name="options">What is given.</param>
    /// <exception cref="LortaException">LRT326: they differ.</exception>
    public static void Check(string file, AdapterOptions options)
    {
        var (rank, alpha) = Stated(file);
        if (rank?.Equals(options.Rank) != false && alpha?.Equals(options.Alpha) != false) return;
        var given = Words(rank is null ? null : options.Rank, alpha is null ? null : options.Alpha);
        throw AdapterErrors.StatedOtherwise(file, Words(rank, alpha), given);
    }

    private static (double? Rank, double? Alpha) Stated(string file)
    {
        var metadata = Safetensors.Load(file).Metadata;
        if (Number(metadata.GetValueOrDefault(Rank)) is { } rank) return (rank, Number(metadata.GetValueOrDefault(Alpha)));
        var config = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, Adapter.ConfigFile);
        if (Path.GetFileName(file) != Adapter.TensorFile || !RealPath.HasFile(config))
            return (null, Number(metadata.GetValueOrDefault(Alpha)));
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(config));
            return (Number(json.RootElement, Rank), Number(json.RootElement, Alpha));
        }
        catch (JsonException)
        {
            return (null, null);   // the factors are what was asked for
        }
    }

    private static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static double? Number(JsonElement json, string key) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;

    private static string Words(double? rank, double? alpha) => string.Join(", ",
        new[] { (Rank, rank), (Alpha, alpha) }.Where(pair => pair.Item2 is not null)
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Item1} {pair.Item2}")));
}
