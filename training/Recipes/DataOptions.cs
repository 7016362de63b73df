using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>The data of a recipe and how it becomes batches.</summary>
public sealed record DataOptions
{
    /// <summary>Format of the files. Default: by the extension of each file.</summary>
    [Choice("text", "tsv", "csv", "jsonl", "json", "fasta", NotYet = ["parquet"]),
        Description("Format of the files. Default: by the extension of each file.")]
    public string? Format { get; init; }

    /// <summary>File of training examples.</summary>
    [OutsideIdentity, Description("File of training examples.")]
    public required string Train { get; init; }

    /// <summary>File of validation examples.</summary>
    [OutsideIdentity, Description("File of validation examples.")]
    public string? Validation { get; init; }

    /// <summary>Instead of <c>validation</c>: the share of <c>train</c>, from its end, that is kept for validation.</summary>
    [Range(0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true),
        Description("Instead of `validation`: the share of `train`, from its end, that is kept for validation.")]
    public double? ValidationFraction { get; init; }

    /// <summary>Names of the columns.</summary>
    [Description("Names of the columns.")]
    public ColumnOptions Columns { get; init; } = new();

    /// <summary>The classes where labels are text, in the order of their numbers; integer labels are class indices.</summary>
    [Description("The classes where labels are text, in the order of their numbers; integer labels are class indices.")]
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Text with {column} placeholders, or prompt and completion separately: only completions are learned.</summary>
    [Description("Text with {column} placeholders, or prompt and completion separately: only completions are learned.")]
    public Template? Template { get; init; }

    /// <summary>Longest row in tokens; longer ones are cut.</summary>
    [Range(1, int.MaxValue), Description("Longest row in tokens; longer ones are cut.")]
    public int MaxLength { get; init; } = 128;

    /// <summary>text: what separates entries.</summary>
    [Description("text: what separates entries.")]
    public string Separator { get; init; } = "\n\n";

    /// <summary>Put the token that begins a text before each entry, where the tokenizer has one.</summary>
    [Description("Put the token that begins a text before each entry, where the tokenizer has one.")]
    public bool Bos { get; init; } = true;

    /// <summary>Put the token that ends a text after each entry, where the tokenizer has one.</summary>
    [Description("Put the token that ends a text after each entry, where the tokenizer has one.")]
    public bool Eos { get; init; } = true;

    /// <summary>causal-lm: one stream per split, cut into rows of maxLength, the tail dropped.</summary>
    [Description("causal-lm: one stream per split, cut into rows of maxLength, the tail dropped.")]
    public bool Packing { get; init; }

    /// <summary>Batches of rows of similar length.</summary>
    [Description("Batches of rows of similar length.")]
    public bool Bucketing { get; init; } = true;
}

/// <summary>Names of the columns that a task reads.</summary>
public sealed record ColumnOptions
{
    /// <summary>Column of the text.</summary>
    [Description("Column of the text.")]
    public string Text { get; init; } = "text";

    /// <summary>Column of the second text of a pair.</summary>
    [Description("Column of the second text of a pair.")]
    public string? Pair { get; init; }

    /// <summary>Column of the label.</summary>
    [Description("Column of the label.")]
    public string Label { get; init; } = "label";

    /// <summary>token-classification: column of a 0 or 1 for each label; labels at 0 do not count.</summary>
    [Description("token-classification: column of a 0 or 1 for each label; labels at 0 do not count.")]
    public string? Mask { get; init; }
}
