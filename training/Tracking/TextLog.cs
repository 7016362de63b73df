using System.Globalization;
using System.Text;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>The file <c>log.txt</c> of a run: what happened, in words, with the time; a resumed run appends to it.</summary>
internal sealed class TextLog : ITracker, IDisposable
{
    private readonly StreamWriter _writer;
    private readonly TimeProvider _clock;

    /// <summary>Opens the log, at its end where it exists.</summary>
    /// <exception cref="LortaException">LRT104: not writable.</exception>
    public TextLog(string path, TimeProvider clock)
    {
        _clock = clock;
        try
        {
            _writer = new(
                new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read),
                new UTF8Encoding(false))
            { AutoFlush = true, NewLine = "\n" };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(path, e);
        }
    }

    public void Step(StepEvent record) => Note(Phrases.Of(record));

    public void Evaluation(EvaluationEvent record) => Note(Phrases.Of(record));

    public void Note(string text) =>
        _writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.GetUtcNow():yyyy-MM-dd HH:mm:ss}Z  {text}"));

    public void Dispose() => _writer.Dispose();
}
