using System.Text.Json;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training;

/// <summary>When something happens during training: at each epoch's end, never, or every so many steps.</summary>
[JsonConverter(typeof(Converter))]
[Spelling("""{"anyOf": [{"enum": ["epoch", "never"]}, {"type": "integer", "minimum": 1}]}""")]
public readonly record struct Interval
{
    private const int Epochs = -1;
    private readonly int _steps;

    private Interval(int steps) => _steps = steps;

    /// <summary>Never.</summary>
    public static Interval Never => default;

    /// <summary>At the end of each pass over the data.</summary>
    public static Interval Epoch => new(Epochs);

    /// <summary>Every so many optimizer steps.</summary>
    /// <param name="steps">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public static Interval Every(int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        return new(steps);
    }

    /// <summary>Whether it is time after step <paramref name="step"/>, counted from 1.</summary>
    internal bool Includes(long step, bool endsEpoch) => _steps switch
    {
        0 => false,
        Epochs => endsEpoch,
        _ => step % _steps == 0,
    };

    /// <summary>How often that is the case after steps <paramref name="step"/> + 1 … <paramref name="steps"/>.</summary>
    internal long Count(long step, long steps, long stepsPerEpoch) => _steps switch
    {
        0 => 0,
        Epochs => (steps / stepsPerEpoch) - (step / stepsPerEpoch),
        _ => (steps / _steps) - (step / _steps),
    };

    private sealed class Converter : JsonConverter<Interval>
    {
        public override Interval Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType switch
            {
                JsonTokenType.String when reader.ValueTextEquals("epoch") => Epoch,
                JsonTokenType.String when reader.ValueTextEquals("never") => Never,
                JsonTokenType.Number when reader.TryGetInt32(out var steps) && steps > 0 => Every(steps),
                _ => throw new JsonException("must be epoch, never or a number of steps"),
            };

        public override void Write(Utf8JsonWriter writer, Interval value, JsonSerializerOptions options)
        {
            if (value._steps > 0) writer.WriteNumberValue(value._steps);
            else writer.WriteStringValue(value == Never ? "never" : "epoch");
        }
    }
}
