namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>One entry of a data file: its columns in the order of the file, and where it stands.</summary>
/// <param name="Path">The file.</param>
/// <param name="Line">The line that the entry starts on, from 1.</param>
/// <param name="Cells">Column to text.</param>
internal sealed record DataRow(string Path, int Line, OrderedDictionary<string, string> Cells)
{
    /// <summary>The columns that do not simply hold a text.</summary>
    public IReadOnlyDictionary<string, CellKind> Kinds { get; init; } = new SortedDictionary<string, CellKind>(StringComparer.Ordinal);

    /// <summary>Lists as their JSON, by column; their cells hold words.</summary>
    public IReadOnlyDictionary<string, string> Lists { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The cell of a column as it is spelled: a label, or a list of words separated by spaces.</summary>
    /// <exception cref="GraphGen.LortaException">LRT505: there is no such column; names those there are.</exception>
    public string this[string column] =>
        Cells.TryGetValue(column, out var text) ? text : throw DataErrors.NoColumn(Path, Line, column, Cells.Keys);

    /// <summary>What a column holds.</summary>
    public CellKind Kind(string column) => Kinds.GetValueOrDefault(column, CellKind.Text);

    /// <summary>The text of a column.</summary>
    /// <exception cref="GraphGen.LortaException">LRT505: there is no such column; LRT515: it holds a list.</exception>
    public RowText Text(string column) =>
        Kind(column) is CellKind.List or CellKind.Nested
            ? throw DataErrors.NotText(Path, Line, column, ofObjects: Kind(column) == CellKind.Nested)
            : new RowText(this[column]);

    /// <summary>The text of a column, or its list of words.</summary>
    /// <exception cref="GraphGen.LortaException">LRT505: there is no such column; LRT515: its list holds lists or
    /// objects.</exception>
    public RowText Words(string column) =>
        Kind(column) is CellKind.Nested ? throw DataErrors.NotText(Path, Line, column, ofObjects: true) : new RowText(this[column]);
}

/// <summary>What a cell holds, as far as its format tells.</summary>
internal enum CellKind
{
    Text,

    /// <summary>A number, true or false of JSON, kept as it is spelled.</summary>
    Literal,

    /// <summary>JSON's null, kept as an empty text.</summary>
    Null,

    /// <summary>A list of plain values, kept as words separated by spaces.</summary>
    List,

    /// <summary>A list that holds lists or objects, kept as its JSON.</summary>
    Nested,
}
