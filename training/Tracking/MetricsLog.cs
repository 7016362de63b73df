using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>The file <c>metrics.jsonl</c> of a run: one JSON object per logged step and evaluation, apart by <c>kind</c>.</summary>
internal sealed class MetricsLog : ITracker, IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,   // a loss may have left the numbers
    };

    private readonly FileStream _stream;

    private MetricsLog(FileStream stream) => _stream = stream;

    /// <summary>Opens the log of a run.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fromStep">The finished steps of the checkpoint that the run continues from; later lines, and a torn last one, go. 0
    /// starts anew.</param>
    /// <exception cref="LortaException">LRT104: not writable.</exception>
    public static MetricsLog Open(string path, long fromStep)
    {
        var kept = fromStep == 0 ? [] : Read(path).Where(line => line.Step <= fromStep).Select(line => line.Text + "\n");
        AtomicFile.WriteText(path, string.Concat(kept));
        try
        {
            return new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(path, e);
        }
    }

    /// <summary>All whole lines of a log, in order; none if there is no file.</summary>
    public static IReadOnlyList<MetricsLine> Read(string path) =>
        File.Exists(path) ? [.. File.ReadLines(path).Select(Parse).OfType<MetricsLine>()] : [];

    public void Step(StepEvent record) => Append("step", record);

    public void Evaluation(EvaluationEvent record) => Append("evaluation", record);

    /// <summary>Texts are for people: <see cref="TextLog"/> has them.</summary>
    public void Note(string text)
    {
    }

    public void Dispose() => _stream.Dispose();

    private void Append<T>(string kind, T record)
    {
        var node = JsonSerializer.SerializeToNode(record, Json)!.AsObject();
        node.Insert(0, "kind", kind);
        _stream.Write(Encoding.UTF8.GetBytes(node.ToJsonString() + "\n"));
        _stream.Flush();
    }

    private static MetricsLine? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.GetProperty("kind").GetString() == "step"
                ? new(text, document.Deserialize<StepEvent>(Json), null)
                : new(text, null, document.Deserialize<EvaluationEvent>(Json));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;   // torn by a crash
        }
    }
}

/// <summary>A line of the log: a step or an evaluation.</summary>
internal sealed record MetricsLine(string Text, StepEvent? StepEvent, EvaluationEvent? EvaluationEvent)
{
    public long Step => StepEvent?.Step ?? EvaluationEvent!.Step;
}
