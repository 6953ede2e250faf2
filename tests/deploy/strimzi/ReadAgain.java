import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import io.strimzi.api.kafka.model.kafka.Kafka;
import io.strimzi.api.kafka.model.nodepool.KafkaNodePool;
import io.strimzi.api.kafka.model.topic.KafkaTopic;
import io.strimzi.api.kafka.model.user.KafkaUser;
import java.util.Map;

/** Reads Strimzi's resources (a JSON array) into its operator's classes, and writes them again. */
public class ReadAgain {
    private static final Map<String, Class<?>> KINDS = Map.of(
        "Kafka", Kafka.class, "KafkaNodePool", KafkaNodePool.class,
        "KafkaTopic", KafkaTopic.class, "KafkaUser", KafkaUser.class);

    public static void main(String[] arguments) throws Exception {
        // The classes keep what they do not know; here that is to fail.
        ObjectMapper strict = new ObjectMapper()
            .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, true)
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return false;
                }
            });
        ObjectMapper plain = new ObjectMapper();
        StringBuilder again = new StringBuilder();
        for (JsonNode resource : plain.readTree(System.in)) {
            Class<?> kind = KINDS.get(resource.get("kind").asText());
            Object read = strict.treeToValue(resource, kind);
            again.append(again.isEmpty() ? "[" : ",\n").append(plain.writeValueAsString(read));
        }
        System.out.println(again.append("]"));
    }
}
