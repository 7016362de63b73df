using System.Globalization;
using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Labels as they are written: a name of the list, or an index.</summary>
internal static class ClassLabel
{
    public static int Parse(DataRow row, string label, DataContext data)
    {
        for (var i = 0; i < data.Labels.Count; i++)
        {
            if (data.Labels[i] == label) return i;
        }
        var count = data.Classes ?? (data.Labels.Count > 0 ? data.Labels.Count : int.MaxValue);
        if (int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < count) return index;
        var indices = count == int.MaxValue
            ? "an index from 0"
            : string.Create(CultureInfo.InvariantCulture, $"an index from 0 to {count - 1}");
        var expected = data.Labels.Count > 0 ? $"one of {string.Join(", ", data.Labels)}, or {indices}" : indices;
        throw DataErrors.BadLabel(row.Path, row.Line, label, expected);
    }
}
