using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Where a model's trained "no" text tower (CLIPN) comes from and what it can do.</summary>
internal sealed record NoTextManifest
{
    /// <summary>File name of the tower's weights, beside those of its model.</summary>
    public const string WeightsFile = "no-text.safetensors";

    /// <summary>The manifest's name beside the weights.</summary>
    public const string FileName = "no-text.json";

    /// <summary>The command that made it.</summary>
    public required string Command { get; init; }

    /// <summary>The commit of the code, with "+" behind it where files were changed.</summary>
    public required string Commit { get; init; }

    /// <summary>When, in UTC.</summary>
    public required DateTime Made { get; init; }

    /// <summary>Seconds that the training took.</summary>
    public required double Seconds { get; init; }

    /// <summary>How it was trained.</summary>
    public required NoTextOptions Options { get; init; }

    /// <summary>SHA-256 of the tower's file.</summary>
    public required string WeightsSha256 { get; init; }

    /// <summary>SHA-256 of the weights' file of the model that it belongs to.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>The losses before the first step, then the mean losses of each epoch.</summary>
    public required IReadOnlyList<ClipnLossValues> History { get; init; }

    /// <summary>AUROC on test pictures, by data set, OOD set and score, such as "A near ATD".</summary>
    public SortedDictionary<string, double> Auroc { get; init; } = [];

    /// <summary>Reads a manifest.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no manifest.</exception>
    public static NoTextManifest Load(string path) => ManifestFile.Load<NoTextManifest>(path, "clipood train no-text");

    /// <summary>Writes the manifest; it appears under its name when it is complete.</summary>
    /// <param name="path">The file; one of this name is replaced.</param>
    public void Save(string path) => ManifestFile.Save(path, this);
}

/// <summary>How the "no" text tower is trained: CLIPN's released form, at the size of the tiny CLIP.</summary>
internal sealed record NoTextOptions
{
    /// <summary>Pictures with captions of each concept that the model was trained on; drawn once.</summary>
    public int PicturesPerConcept { get; init; } = 100;

    /// <summary>Passes over the pictures.</summary>
    public int Epochs { get; init; } = 16;

    /// <summary>Pictures of a step.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>First learning rate of AdamW; it falls to 0 as half a cosine. The paper's 3e-4 is for batches of 2048 and a larger tower.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>
    /// Captions of a batch with a cosine above this are no "other captions" of each other: here captions of one concept often meet.
    /// </summary>
    public double DuplicateCosine { get; init; } = 0.95;

    /// <summary>Of the pictures, the captions and the order.</summary>
    public int Seed { get; init; }
}
