<?php
// check.php SAMPLE PHOTO CALLBACK: runs the document's sample, which leaves $client and its last answers behind, then
// takes one application from submit to its end with the same client, and prints every answer as JSON.
require $argv[1];
$answers = ['batch' => $result, 'types' => $types, 'applications' => $applications];
$answers['submit'] = $client->submitApplication([
    'receipt_type_id' => 4, 'id_photo_url' => $argv[2], 'custom_fields' => ['city' => '广东省,深圳市'], 'callback_url' => $argv[3],
]);
$no = $answers['submit']['data']['application_no'];
do {
    usleep(50000);
    $answers['query'] = $client->queryResult($no);
} while (!in_array($answers['query']['data']['status'], ['completed', 'failed']));
$answers['both'] = $client->batchQueryResult([$no, 'RA20231201143059002']);
$answers['completed'] = $client->getApplications(1, 10, 'completed');
echo json_encode($answers);
