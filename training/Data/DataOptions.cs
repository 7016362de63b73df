using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Where the data lie and how rows become samples: the recipe's <c>data</c> section, and what other sections add to it.</summary>
internal sealed record DataOptions
{
    /// <summary>classification, regression, token-classification, masked-lm, causal-lm or loss.</summary>
    public required string Task { get; init; }

    /// <summary>File of training rows.</summary>
    public required string Train { get; init; }

    /// <summary>File of validation rows; null: none, or <see cref="ValidationFraction"/> of the training file.</summary>
    public string? Validation { get; init; }

    /// <summary>Share of the training file, its end, that is for validation.</summary>
    public double ValidationFraction { get; init; }

    /// <summary>text, tsv, csv, jsonl, json or fasta; null goes by the extension.</summary>
    public string? Format { get; init; }

    public ColumnMap Columns { get; init; } = new();

    /// <summary>How a row's text is put together; null: the text column as it is.</summary>
    public RowTemplate? Template { get; init; }

    /// <summary>Most tokens of a sample, special tokens included.</summary>
    public int MaxLength { get; init; } = 128;

    /// <summary>Text files: what parts entries.</summary>
    public string Separator { get; init; } = RowReader.BlankLine;

    /// <summary>causal-lm: start each entry with the tokenizer's first token, where it has one.</summary>
    public bool Bos { get; init; } = true;

    /// <summary>causal-lm: end each entry with the tokenizer's last token, where it has one.</summary>
    public bool Eos { get; init; } = true;

    /// <summary>causal-lm: one stream of all entries cut into rows of <see cref="MaxLength"/>, the tail dropped.</summary>
    public bool Packing { get; init; }

    /// <summary>Batches of samples of about the same length.</summary>
    public bool Bucketing { get; init; } = true;

    /// <summary>Names of the classes in the order of their indices; empty: labels are indices.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Samples of a batch.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Orders and masks are functions of it.</summary>
    public long Seed { get; init; }

    /// <summary>How many classes the model tells apart, where known: larger labels are refused.</summary>
    public int? Classes { get; init; }

    /// <summary>loss: what the model's own input for labels takes.</summary>
    public LabelKind OwnLabels { get; init; }

    /// <summary>masked-lm: share of tokens to be guessed.</summary>
    public double MaskProbability { get; init; } = 0.15;
}

/// <summary>Which columns hold what. Without a label column rows are unlabelled, as for predictions.</summary>
internal sealed record ColumnMap
{
    public string Text { get; init; } = "text";

    public string? Pair { get; init; }

    public string? Label { get; init; } = "label";

    /// <summary>token-classification: a 0 or 1 per label; labels at 0 do not count.</summary>
    public string? Mask { get; init; }
}
