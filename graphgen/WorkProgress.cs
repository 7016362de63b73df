namespace LoRTA.Onnx.GraphGen;

/// <summary>How far a piece of work is.</summary>
/// <param name="What">What is counted, for instance <c>rows evaluated</c>; another text is another piece of work.</param>
/// <param name="Done">How many are done.</param>
/// <param name="All">How many there are.</param>
public sealed record WorkProgress(string What, long Done, long All);
