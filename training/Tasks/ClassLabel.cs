using System.Globalization;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Errors;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>Labels as they are written: a name of the list, or an index.</summary>
internal static class ClassLabel
{
    public static int Parse(DataRow row, string label, DataOptions options)
    {
        for (var i = 0; i < options.Labels.Count; i++)
        {
            if (options.Labels[i] == label) return i;
        }
        var count = options.Classes ?? (options.Labels.Count > 0 ? options.Labels.Count : int.MaxValue);
        if (int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < count) return index;
        var indices = count == int.MaxValue ? "an index from 0" : string.Create(CultureInfo.InvariantCulture, $"an index from 0 to {count - 1}");
        throw DataErrors.BadLabel(row.Path, row.Line, label, options.Labels.Count > 0 ? $"one of {string.Join(", ", options.Labels)}, or {indices}" : indices);
    }
}
