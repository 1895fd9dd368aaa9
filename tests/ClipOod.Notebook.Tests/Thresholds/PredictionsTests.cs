namespace ClipOod.Notebook.Tests;

public sealed class PredictionsTests
{
    [Fact]
    public void FromProbabilities_ReadsClassConfidenceAndEntropy()
    {
        var predictions = Predictions.FromProbabilities(Matrix.FromRows([0.5, 0.5, 0], [0, 0, 1]), [1, 2]);
        Assert.Equal([0, 2], predictions.Predicted);
        Assert.Equal([0.5, 1], predictions.Confidence);
        Golden.AssertClose([Math.Log(2), 0], predictions.Entropy, 1e-15);
        Assert.Equal([false, true], predictions.Correct);
        Assert.Equal([true, false], predictions.Wrong);
        Assert.Equal(0.5, predictions.Accuracy);
    }

    [Fact]
    public void FromLogits_GoesThroughTheSoftmax()
    {
        var fromLogits = Predictions.FromLogits(Matrix.FromRows([0, Math.Log(3)], [1000, -1000]));
        var fromProbabilities = Predictions.FromProbabilities(Matrix.FromRows([0.25, 0.75], [1, 0]));
        Assert.Equal(fromProbabilities.Predicted, fromLogits.Predicted);
        Golden.AssertClose(fromProbabilities.Confidence, fromLogits.Confidence, 1e-15);
        Golden.AssertClose(fromProbabilities.Entropy, fromLogits.Entropy, 1e-15);
    }

    [Fact]
    public void ZeroShot_TakesLabelsAlongWhereTheClassesAreThoseOfTheTexts()
    {
        TextFeatures text = new(Embeddings.FromRows([1, 0], [0, 1]), ["cat", "dog"], "a {}", "made by hand");
        var features = Embeddings.FromRows([0.6f, 0.8f], [1, 0]);
        var pets = Predictions.ZeroShot(new FeatureSet("Pets", "test", features, [0, 0], ["cat", "dog"], "made by hand"), text, logitScale: 10);
        Assert.Equal([1, 0], pets.Predicted);
        Golden.AssertClose([1 / (1 + Math.Exp(-2)), 1 / (1 + Math.Exp(-10))], pets.Confidence, 1e-6);
        Assert.Equal([true, false], pets.Wrong);

        var cars = Predictions.ZeroShot(new FeatureSet("Cars", "test", features, [0, 0], ["car"], "made by hand"), text, logitScale: 10);
        Assert.Equal(pets.Confidence, cars.Confidence);
        Assert.Null(cars.Labels);
    }

    [Fact]
    public void OnlyCorrect_KeepsTheRightOnesInOrder()
    {
        Predictions kept = new Predictions(2, [0, 1, 1], [0.9, 0.8, 0.7], [0.1, 0.2, 0.3], [0, 0, 1]).OnlyCorrect();
        Assert.Equal([0.9, 0.7], kept.Confidence);
        Assert.Equal([0.1, 0.3], kept.Entropy);
        Assert.Equal([0, 1], kept.Labels!);
    }

    [Fact]
    public void Wrong_WithoutLabels_SaysWhereTheyGo() => Assert.Contains(
        "no labels",
        Assert.Throws<InvalidOperationException>(() => new Predictions(2, [0], [1], [0]).Wrong).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Constructor_OfBadInput_NamesWhatAndWhere()
    {
        static void Throws(string parameter, string message, Func<Predictions> make)
        {
            ArgumentException error = Assert.ThrowsAny<ArgumentException>(() => make());
            Assert.Equal(parameter, error.ParamName);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }

        Throws("numClasses", "at least 2", () => new Predictions(1, [0], [1], [0]));
        Throws("predicted", "Predicted class 1 of 2 is 2, expected 0 to 1", () => new Predictions(2, [0, 2], [1, 1], [0, 0]));
        Throws("confidence", "Got 1 values, expected 2", () => new Predictions(2, [0, 1], [1], [0, 0]));
        Throws("confidence", "Confidence 0 of 1 is 3", () => new Predictions(2, [0], [3], [0]));
        Throws("entropy", "Entropy 0 of 1 is NaN", () => new Predictions(2, [0], [1], [double.NaN]));
        Throws("entropy", "expected 0 to 0.6931", () => new Predictions(2, [0], [1], [0.7]));
        Throws("labels", "Label 0 of 1 is -1", () => new Predictions(2, [0], [1], [0], [-1]));
        Throws("labels", "Got 2 values, expected 1", () => new Predictions(2, [0], [1], [0], [0, 1]));
        Throws("probabilities", "sums to 3", () => Predictions.FromProbabilities(Matrix.FromRows([1, 2])));
    }
}
