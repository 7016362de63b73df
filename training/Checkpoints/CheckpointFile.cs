using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Training.Checkpoints;

/// <summary>A checkpoint as one safetensors file: the state as tensors, the rest as metadata, a hash over both.</summary>
internal static class CheckpointFile
{
    private const string Format = "lorta-checkpoint-1";
    private const string HashKey = "sha256";
    private const string NumberPrefix = "number.";

    /// <summary>Writes the file whole or not at all.</summary>
    /// <exception cref="LortaException">LRT104: not writable.</exception>
    public static void Save(string path, Checkpoint checkpoint)
    {
        var metadata = Metadata(checkpoint);
        metadata[HashKey] = Hash(checkpoint.State, metadata);
        Safetensors.Save(path, checkpoint.State, metadata);
    }

    /// <summary>Reads a file and verifies its hash.</summary>
    /// <exception cref="LortaException">LRT101, LRT103, LRT105: not readable; LRT560: damaged.</exception>
    public static Checkpoint Load(string path)
    {
        var (tensors, metadata) = Safetensors.Load(path);
        if (metadata.GetValueOrDefault("format") != Format) throw CheckpointErrors.Damaged(path, "is not a checkpoint");
        if (metadata.GetValueOrDefault(HashKey) != Hash(tensors, metadata))
            throw CheckpointErrors.Damaged(path, "its content does not match its hash");
        try
        {
            return Of(tensors, metadata);
        }
        catch (Exception e) when (e is KeyNotFoundException or FormatException or OverflowException)
        {
            throw CheckpointErrors.Damaged(path, "its metadata are incomplete or no numbers");
        }
    }

    private static Checkpoint Of(IReadOnlyDictionary<string, OnnxTensor> tensors, IReadOnlyDictionary<string, string> metadata) => new()
    {
        Step = Long(metadata["step"]),
        Position = new(checked((int)Long(metadata["epoch"])), checked((int)Long(metadata["batch"]))),
        State = tensors,
        Seed = Long(metadata["seed"]),
        Recipe = new(metadata["recipe"]),
        Threads = checked((int)Long(metadata["threads"])),
        BestMetric = metadata.TryGetValue("bestMetric", out var best) ? Double(best) : null,
        BestStep = metadata.TryGetValue("bestStep", out var step) ? Long(step) : null,
        Numbers = new SortedDictionary<string, double>(
            metadata.Where(pair => pair.Key.StartsWith(NumberPrefix, StringComparison.Ordinal))
                .ToDictionary(pair => pair.Key[NumberPrefix.Length..], pair => Double(pair.Value)),
            StringComparer.Ordinal),
    };

    private static SortedDictionary<string, string> Metadata(Checkpoint checkpoint)
    {
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["format"] = Format,
            ["step"] = Text(checkpoint.Step),
            ["epoch"] = Text(checkpoint.Position.Epoch),
            ["batch"] = Text(checkpoint.Position.Batch),
            ["seed"] = Text(checkpoint.Seed),
            ["recipe"] = checkpoint.Recipe.Text,
            ["recipeHash"] = checkpoint.Recipe.Hash,
            ["threads"] = Text(checkpoint.Threads),
        };
        if (checkpoint.BestMetric is { } best) metadata["bestMetric"] = Text(best);
        if (checkpoint.BestStep is { } step) metadata["bestStep"] = Text(step);
        foreach (var (name, value) in checkpoint.Numbers) metadata[NumberPrefix + name] = Text(value);
        return metadata;
    }

    // Over names, types, shapes, bytes and metadata: any flipped bit that matters shows.
    private static string Hash(IReadOnlyDictionary<string, OnnxTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var sha = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, sha, CryptoStreamMode.Write))
        {
            foreach (var (key, value) in metadata.Where(pair => pair.Key != HashKey).OrderBy(pair => pair.Key, StringComparer.Ordinal))
                Write(stream, $"{key}={value}");
            foreach (var (name, tensor) in tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                Write(stream, $"{name}:{tensor}");
                tensor.CopyTo(stream);
            }
        }
        return Convert.ToHexStringLower(sha.Hash!);
    }

    private static void Write(CryptoStream stream, string text) => stream.Write(Encoding.UTF8.GetBytes(text + "\n"));

    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static long Long(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static double Double(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
