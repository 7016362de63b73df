namespace LoRTA.Onnx.Export.Verification;

/// <summary>How far two models are apart.</summary>
/// <param name="MaxAbsDiff">Largest |a − b|.</param>
/// <param name="MaxRelDiff">Largest |a − b| / largest |a|; what the tolerance is compared with.</param>
/// <param name="DeployedMaxAbsDiff">Largest |a − b| of the files as they are deployed.</param>
/// <param name="Tolerance">The tolerance.</param>
/// <param name="Ok">Whether the relative difference is within it.</param>
public sealed record VerifyResult(double MaxAbsDiff, double MaxRelDiff, double DeployedMaxAbsDiff, double Tolerance, bool Ok);
