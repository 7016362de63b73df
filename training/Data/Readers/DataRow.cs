using LoRTA.Onnx.Training.Errors;

namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>One entry of a data file: its columns in the order of the file, and where it stands.</summary>
/// <param name="Path">The file.</param>
/// <param name="Line">The line that the entry starts on, from 1.</param>
/// <param name="Cells">Column to text.</param>
internal sealed record DataRow(string Path, int Line, OrderedDictionary<string, string> Cells)
{
    /// <summary>The text of a column.</summary>
    /// <exception cref="GraphGen.Errors.LortaException">LRT505: there is no such column; names those there are.</exception>
    public string this[string column] => Cells.TryGetValue(column, out var text) ? text : throw DataErrors.NoColumn(Path, Line, column, Cells.Keys);
}
