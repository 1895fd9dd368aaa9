namespace ClipOod.Notebook;

/// <summary>Where a trained model comes from and what it can do: everything that is needed to make it again and to trust it.</summary>
public sealed record PictogramManifest
{
    /// <summary>The manifest's name beside the weights.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The command that made it.</summary>
    public required string Command { get; init; }

    /// <summary>The commit of the code, with "+" behind it where files were changed.</summary>
    public required string Commit { get; init; }

    /// <summary>When, in UTC.</summary>
    public required DateTime Made { get; init; }

    /// <summary>Seconds that the training took, without interruptions, and on how many cores.</summary>
    public required double Seconds { get; init; }

    /// <summary>Processor cores of the machine.</summary>
    public required int Cores { get; init; }

    /// <summary>Versions of what computed it.</summary>
    public required SortedDictionary<string, string> Versions { get; init; }

    /// <summary>How it was trained.</summary>
    public required PictogramTrainingOptions Options { get; init; }

    /// <summary>Numbers that were trained.</summary>
    public required long Parameters { get; init; }

    /// <summary>Number of tokens of the vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Size of the weights' file in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 of the weights' file.</summary>
    public required string WeightsSha256 { get; init; }

    /// <summary>SHA-256 of the vocabulary's file.</summary>
    public required string VocabularySha256 { get; init; }

    /// <summary>SHA-256 of the concept files that it was trained on; see <see cref="PictogramFolder.HashConcepts"/>.</summary>
    public required string ConceptsSha256 { get; init; }

    /// <summary>Names of the concepts that it never saw.</summary>
    public required IReadOnlyList<string> HeldOut { get; init; }

    /// <summary>What was measured during training.</summary>
    public required IReadOnlyList<PictogramMeasurement> History { get; init; }

    /// <summary>Zero-shot accuracy on the test pictures, by data set and prompt.</summary>
    public SortedDictionary<string, double> Accuracy { get; init; } = [];

    /// <summary>AUROC, by data set, OOD set and score, such as "A near MSP".</summary>
    public SortedDictionary<string, double> Auroc { get; init; } = [];

    /// <summary>Pictures that training drew.</summary>
    public long Pictures => (long)Options.Steps * Options.BatchSize;

    /// <summary>Reads a manifest.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no manifest.</exception>
    public static PictogramManifest Load(string path) => ManifestFile.Load<PictogramManifest>(path, "clipood train pictograms");

    /// <summary>Writes the manifest; it appears under its name when it is complete.</summary>
    /// <param name="path">The file; one of this name is replaced.</param>
    public void Save(string path) => ManifestFile.Save(path, this);

    /// <summary>SHA-256 of a file, as hexadecimal digits.</summary>
    /// <param name="path">The file.</param>
    public static string HashFile(string path) => ManifestFile.Hash(path);
}
